// SPDX-License-Identifier: GPL-2.0
/*
 * The test VM's first process, once its root is mounted: takes one command
 * from the host over a virtio port, runs it, carries its streams, and tells
 * how it ended. scripts/vm/session.py is the other side.
 *
 * Frames both ways: a letter, a length (32 bits, little endian), the bytes.
 *
 *   from the host   R  run: "pipe" or "tty", folder, count, arguments,
 *                      environment; each with its NUL
 *                   I  bytes for stdin; none: its end
 *                   W  size of the terminal: rows, columns (16 bits each)
 *   to the host     S  the VM has started
 *                   O  bytes of stdout
 *                   E  bytes of stderr
 *                   F  the VM could not be set up: why
 *                   X  end: exit status, 128+N for a signal; always the last
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define PORT "/dev/vport0p1"
#define PROBLEM "/run/problem"
#define CHUNK 65536
#define DRAIN_MS 5000

struct frame {
	uint8_t type;
	uint32_t length;
} __attribute__((packed));

struct command {
	int tty;
	char *folder;
	char **arguments;
	char **environment;
};

/* The command while it runs; a stream that has ended is -1. */
struct child {
	pid_t pid;
	int in, out, err;
};

/* Bytes from the host which the command has not read yet. */
struct backlog {
	char bytes[CHUNK];
	size_t begin, end;
	int closed;
};

static int port;

static void die(const char *what)
{
	fprintf(stderr, "testvm agent: %s: %s\n", what, strerror(errno));
	sync();
	for (;;)
		pause();
}

static void *check(void *memory)
{
	if (!memory)
		die("memory");
	return memory;
}

static void port_read(void *to, size_t length)
{
	for (char *p = to; length;) {
		ssize_t n = read(port, p, length);

		if (n <= 0)
			die("read " PORT);
		p += n;
		length -= n;
	}
}

static void port_write(const void *from, size_t length)
{
	for (const char *p = from; length;) {
		ssize_t n = write(port, p, length);

		if (n <= 0)
			die("write " PORT);
		p += n;
		length -= n;
	}
}

static void send_frame(char type, const void *bytes, size_t length)
{
	char buffer[sizeof(struct frame) + CHUNK];
	struct frame head = { .type = type, .length = length };

	memcpy(buffer, &head, sizeof(head));
	memcpy(buffer + sizeof(head), bytes, length);
	port_write(buffer, sizeof(head) + length);
}

/* Cuts a list of strings, each with its NUL, into a list of pointers. */
static char **strings(char **at, const char *end, size_t most)
{
	char **list = NULL;
	size_t count = 0;

	do {
		list = check(realloc(list, (count + 1) * sizeof(*list)));
		list[count] = NULL;
		if (count == most || *at >= end)
			return list;
		list[count++] = *at;
		*at += strlen(*at) + 1;
	} while (1);
}

static struct command receive_command(void)
{
	struct command command;
	struct frame head;
	char *at, *end;
	char **fixed;

	port_read(&head, sizeof(head));
	at = check(malloc(head.length + 1));
	end = at + head.length;
	port_read(at, head.length);
	*end = '\0';

	fixed = strings(&at, end, 3);
	command.tty = !strcmp(fixed[0], "tty");
	command.folder = fixed[1];
	command.arguments = strings(&at, end, strtoul(fixed[2], NULL, 10));
	command.environment = strings(&at, end, SIZE_MAX);
	return command;
}

static void exec_command(const struct command *command)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (chdir(command->folder))
		dprintf(2, "testvm: no folder %s in the VM: %s\n", command->folder, strerror(errno));
	else {
		environ = command->environment;
		execvp(command->arguments[0], command->arguments);
		dprintf(2, "testvm: cannot run %s: %s\n", command->arguments[0], strerror(errno));
	}
	_exit(errno == ENOENT ? 127 : 126);
}

static struct child start_with_terminal(const struct command *command)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct child child = {
		.in = fcntl(terminal, F_DUPFD_CLOEXEC, 0),
		.out = terminal,
		.err = -1,
	};

	if (child.in < 0 || grantpt(terminal) || unlockpt(terminal))
		die("terminal");
	fcntl(terminal, F_SETFL, O_RDWR | O_NONBLOCK);
	child.pid = fork();
	if (!child.pid) {
		int fd;

		setsid();
		fd = open(ptsname(terminal), O_RDWR);
		ioctl(fd, TIOCSCTTY, 0);
		for (int i = 0; i < 3; i++)
			dup2(fd, i);
		close(fd);
		exec_command(command);
	}
	return child;
}

static struct child start_with_pipes(const struct command *command)
{
	int in[2], out[2], err[2];
	struct child child;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("pipes");
	child.pid = fork();
	if (!child.pid) {
		setsid();
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		exec_command(command);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	child.in = in[1];
	child.out = out[0];
	child.err = err[0];
	fcntl(child.in, F_SETFL, O_NONBLOCK);
	return child;
}

static void close_input(struct child *child)
{
	close(child->in);
	child->in = -1;
}

static void receive_frame(struct child *child, struct backlog *input)
{
	struct frame head;

	port_read(&head, sizeof(head));
	if (head.length > sizeof(input->bytes))
		die("frame too long");
	if (head.type == 'W') {
		struct winsize size = { 0 };

		port_read(&size, head.length);
		if (child->in >= 0)
			ioctl(child->in, TIOCSWINSZ, &size);
		return;
	}
	input->begin = 0;
	input->end = head.length;
	input->closed = !head.length;
	port_read(input->bytes, head.length);
}

static void feed(struct child *child, struct backlog *input)
{
	if (input->begin < input->end) {
		ssize_t n = write(child->in, input->bytes + input->begin, input->end - input->begin);

		if (n > 0)
			input->begin += n;
		else if (n < 0 && errno != EAGAIN)
			close_input(child);
	}
	if (child->in >= 0 && input->closed)
		close_input(child);
}

static void carry(int *stream, char type)
{
	char bytes[CHUNK];
	ssize_t n = read(*stream, bytes, sizeof(bytes));

	if (n > 0) {
		send_frame(type, bytes, n);
	} else if (!n || errno != EAGAIN) {
		close(*stream);
		*stream = -1;
	}
}

/* Reaps whoever ended. Returns whether the command was among them. */
static int reap(const struct child *child, int *status)
{
	int ended = 0, how;
	pid_t pid;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		if (pid != child->pid)
			continue;
		*status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
		ended = 1;
	}
	return ended;
}

/* Until the command has ended, and with it all processes and streams. */
static int serve(struct child child, int children)
{
	static struct backlog input;
	int ended = 0, status = 0;

	while (!ended || child.out >= 0 || child.err >= 0) {
		int full = input.begin < input.end;
		struct pollfd fds[] = {
			{ .fd = children, .events = POLLIN },
			{ .fd = child.out, .events = POLLIN },
			{ .fd = child.err, .events = POLLIN },
			{ .fd = full && child.in >= 0 ? child.in : -1, .events = POLLOUT },
			{ .fd = full && child.in >= 0 ? -1 : port, .events = POLLIN },
		};

		if (!poll(fds, 5, ended ? DRAIN_MS : -1))
			break;
		if (fds[0].revents) {
			struct signalfd_siginfo info;

			if (read(children, &info, sizeof(info)) > 0 && reap(&child, &status)) {
				ended = 1;
				kill(-1, SIGKILL);
			}
		}
		if (fds[1].revents)
			carry(&child.out, 'O');
		if (fds[2].revents)
			carry(&child.err, 'E');
		if (fds[4].revents)
			receive_frame(&child, &input);
		if (child.in >= 0 && (fds[3].revents || fds[4].revents))
			feed(&child, &input);
	}
	return status;
}

static void report_problem(void)
{
	char text[CHUNK];
	int fd = open(PROBLEM, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

	if (n > 0) {
		send_frame('F', text, n);
		pause();
	}
}

int main(void)
{
	struct command command;
	uint8_t status;
	sigset_t set;
	int children;

	port = open(PORT, O_RDWR | O_CLOEXEC);
	if (port < 0)
		die("open " PORT);
	report_problem();
	send_frame('S', "", 0);

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	children = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	command = receive_command();
	status = serve(command.tty ? start_with_terminal(&command) : start_with_pipes(&command), children);
	sync();
	send_frame('X', &status, sizeof(status));
	for (;;)
		pause();
}
