// SPDX-License-Identifier: GPL-2.0-only
#include "sys.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <ostream>
#include <sstream>
#include <thread>

namespace t {

std::ostream& operator<<(std::ostream& out, Ret r) {
  out << r.value;
  if (r.value < 0) {
    const char* name = strerrorname_np(static_cast<int>(-r.value));
    out << " (" << (name != nullptr ? name : "?") << ")";
  }
  return out;
}

Mapping::Mapping(std::size_t size, int prot, int flags, int fd, off_t offset) {
  void* p = ::mmap(nullptr, size, prot, flags, fd, offset);
  if (p == MAP_FAILED) return;
  data_ = static_cast<std::uint8_t*>(p);
  size_ = size;
}

Mapping Mapping::memory(std::size_t size) {
  return {size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE};
}

bool Mapping::unmap() {
  if (data_ != nullptr && ::munmap(data_, size_) != 0) return false;
  data_ = nullptr;
  return true;
}

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::string link_of(const std::string& path) {
  std::array<char, PATH_MAX> to{};
  const ssize_t n = ::readlink(path.c_str(), to.data(), to.size());
  return n > 0 ? std::string(to.data(), static_cast<std::size_t>(n)) : std::string();
}

std::string link_of(int fd) {
  return link_of("/proc/self/fd/" + std::to_string(fd));
}

std::vector<std::string> entries_of(const std::string& folder) {
  std::vector<std::string> names;
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) return names;
  while (const dirent* entry = ::readdir(dir)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      names.emplace_back(entry->d_name);
    }
  }
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<int> open_fds() {
  std::vector<int> fds;
  for (const std::string& name : entries_of("/proc/self/fd")) {
    const int fd = std::atoi(name.c_str());
    if (::fcntl(fd, F_GETFD) >= 0) fds.push_back(fd);  // not the one that listed them
  }
  std::sort(fds.begin(), fds.end());
  return fds;
}

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

bool spit(const std::string& path, const std::string& text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.valid() && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return holds();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

std::string become(uid_t uid) {
  NEED(::setgroups(0, nullptr) == 0);
  NEED(::setresgid(uid, uid, uid) == 0);
  NEED(::setresuid(uid, uid, uid) == 0);
  return "";
}

std::string in_child(const std::function<std::string()>& run, unsigned seconds) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "no pipe";
  const Fd in(ends[0]);
  // High up, where children that close low numbers do not hit it.
  Fd out(::fcntl(Fd(ends[1]), F_DUPFD_CLOEXEC, 500));
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(seconds);
    const std::string said = run();
    if (::write(out, said.data(), said.size()) < 0) ::_exit(2);
    ::_exit(said.empty() ? 0 : 1);
  }
  out.close();
  std::string said;
  std::array<char, 512> part{};
  for (ssize_t n = 0; (n = ::read(in, part.data(), part.size())) > 0;) {
    said.append(part.data(), static_cast<std::size_t>(n));
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return "no child";
  if (WIFSIGNALED(status)) {
    return said + "child died of signal " + std::to_string(WTERMSIG(status));
  }
  if (said.empty() && WEXITSTATUS(status) != 0) {
    return "child left with " + std::to_string(WEXITSTATUS(status));
  }
  return said;
}

namespace {
struct Message {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  char byte = 'x';
  iovec data{&byte, 1};
  msghdr header{};

  Message() {
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
};
}  // namespace

void pass_fd(int socket, int fd) {
  Message message;
  cmsghdr* head = CMSG_FIRSTHDR(&message.header);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
  ::sendmsg(socket, &message.header, MSG_NOSIGNAL);
}

Fd receive_fd(int socket) {
  Message message;
  if (::recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC) <= 0) return {};
  const cmsghdr* head = CMSG_FIRSTHDR(&message.header);
  if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return {};
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
  return Fd(fd);
}

}  // namespace t
