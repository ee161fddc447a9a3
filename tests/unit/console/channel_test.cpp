// SPDX-License-Identifier: GPL-2.0
#include "console/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "base/fd.hpp"
#include "temporary.hpp"

namespace vmctl {
namespace {

using Kind = ChannelSpec::Kind;

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string read_some(int fd) {
  std::array<char, 64> buffer{};
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "";
}

bool readable(int fd) {
  pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&wanted, 1, 20000) == 1;
}

std::string take(Channel& channel) {
  std::array<std::uint8_t, 64> buffer{};
  const std::size_t got = channel.take(buffer);
  return {reinterpret_cast<const char*>(buffer.data()), got};
}

Fd connect_to(const std::string& path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(&address.sun_path[0], path.c_str(), path.size());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {};
  return fd;
}

TEST(Channel, Kinds) {
  EXPECT_EQ(parse_channel("stdio")->kind, Kind::stdio);
  EXPECT_EQ(parse_channel("none")->kind, Kind::none);
  EXPECT_EQ(parse_channel("pty")->kind, Kind::pty);
  EXPECT_EQ(parse_channel("file:/a b")->kind, Kind::file);
  EXPECT_EQ(parse_channel("file:/a b")->path, "/a b");
  EXPECT_EQ(parse_channel("unix:x")->kind, Kind::socket);
  for (const char* text : {"", "file", "file:", "unix:", "tty", "STDIO", "pty:x"})
    EXPECT_FALSE(parse_channel(text)) << text;
}

TEST(Channel, NoneTakesAllAndGivesNothing) {
  Ending ending;
  const auto channel = Channel::open({.kind = Kind::none}, ending).value();
  channel->put(bytes("lost"));
  EXPECT_EQ(channel->input_fd(), -1);
  EXPECT_FALSE(ending.stopping());
}

TEST(Channel, AFileIsWrittenAnew) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("out");
  std::ofstream(path) << "something that was there before";
  Ending ending;
  {
    const auto channel = Channel::open({.kind = Kind::file, .path = path}, ending).value();
    EXPECT_EQ(std::filesystem::file_size(path), 31U);  // until all else is well
    ASSERT_TRUE(channel->begin());
    channel->put(bytes("one "));
    channel->put(bytes("two"));
    EXPECT_EQ(channel->input_fd(), -1);
  }
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "one two");
}

TEST(Channel, AFileThatCannotBeIsAnError) {
  Ending ending;
  const auto channel = Channel::open({.kind = Kind::file, .path = "/no/such/folder/x"}, ending);
  ASSERT_FALSE(channel);
  EXPECT_EQ(channel.error().status, Status::output);
  EXPECT_NE(channel.error().what.find("/no/such/folder/x"), std::string::npos);
}

TEST(Channel, AFullDeviceEndsTheMachine) {
  Ending ending;
  const auto channel = Channel::open({.kind = Kind::file, .path = "/dev/full"}, ending).value();
  channel->put(bytes("x"));
  EXPECT_TRUE(ending.stopping());
  EXPECT_EQ(ending.gravest().status, static_cast<int>(Status::output));
}

TEST(Channel, APtyPassesBytesBothWaysAsTheyAre) {
  Ending ending;
  const auto channel = Channel::open({.kind = Kind::pty}, ending).value();
  const Fd other(::open(channel->place().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(other.valid()) << channel->place();
  channel->put(bytes("a\n\x03"));
  ASSERT_TRUE(readable(other.get()));
  EXPECT_EQ(read_some(other.get()), "a\n\x03");
  ASSERT_EQ(::write(other.get(), "b\r\x04", 3), 3);
  ASSERT_TRUE(readable(channel->input_fd()));
  EXPECT_EQ(take(*channel), "b\r\x04");
}

TEST(Channel, APtyOutlivesItsReaders) {
  Ending ending;
  const auto channel = Channel::open({.kind = Kind::pty}, ending).value();
  { const Fd one(::open(channel->place().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)); }
  channel->put(bytes("later"));
  const Fd two(::open(channel->place().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(readable(two.get()));
  EXPECT_EQ(read_some(two.get()), "later");
  EXPECT_FALSE(ending.stopping());
}

TEST(Channel, ASocketServesOneAfterTheOther) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("socket");
  Ending ending;
  const auto channel = Channel::open({.kind = Kind::socket, .path = path}, ending).value();
  for (const std::string word : {"first", "?second"}) {
    const Fd peer = connect_to(path);
    ASSERT_TRUE(peer.valid());
    EXPECT_EQ(take(*channel), "");  // takes him in
    channel->put(bytes(word.substr(word.find_first_not_of('?'))));
    EXPECT_EQ(read_some(peer.get()), word);
    ASSERT_EQ(::write(peer.get(), "hi", 2), 2);
    ASSERT_TRUE(readable(channel->input_fd()));
    EXPECT_EQ(take(*channel), "hi");
    ::shutdown(peer.get(), SHUT_WR);
    ASSERT_TRUE(readable(channel->input_fd()));
    EXPECT_EQ(take(*channel), "");
    EXPECT_EQ(channel->input_fd(), -1);  // he has said all, but still hears
    EXPECT_FALSE(channel->ended());
    channel->put(bytes("bye"));
    EXPECT_EQ(read_some(peer.get()), "bye");
    ::shutdown(peer.get(), SHUT_RDWR);
    channel->put(bytes("?"));  // nobody hears it; the next one will
    EXPECT_GE(channel->input_fd(), 0);
  }
  EXPECT_FALSE(ending.stopping());
}

TEST(Channel, WhoHangsUpMakesRoomForTheNext) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("socket");
  Ending ending;
  const auto channel = Channel::open({.kind = Kind::socket, .path = path}, ending).value();
  int changes = 0;
  channel->on_change([&] { ++changes; });
  {
    const Fd peer = connect_to(path);
    EXPECT_EQ(take(*channel), "");
    EXPECT_EQ(changes, 1);
  }
  ASSERT_TRUE(readable(channel->input_fd()));
  EXPECT_EQ(take(*channel), "");
  EXPECT_EQ(changes, 2);
  const Fd next = connect_to(path);
  channel->put(bytes("welcome"));
  EXPECT_EQ(take(*channel), "");
  EXPECT_EQ(changes, 3);
  EXPECT_EQ(read_some(next.get()), "welcome");
}

// Whichever thread takes the peer in, he gets what was said before.
TEST(Channel, WhoConnectsIsGivenWhatWasSaidBefore) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("socket");
  for (int i = 0; i < 20; ++i) {
    MachineClock clock;
    Ending ending;
    const auto channel = Channel::open({.kind = Kind::socket, .path = path}, ending).value();
    EventLoop loop(clock);
    channel->run_on(loop);
    channel->put(bytes("x"));
    const Fd peer = connect_to(path);
    ASSERT_TRUE(peer.valid());
    if (i % 2 == 0) take(*channel);
    ASSERT_TRUE(readable(peer.get()));
    EXPECT_EQ(read_some(peer.get()), "x");
    loop.stop();
  }
}

TEST(Channel, ASocketThatWasLeftOverIsTakenAway) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("socket");
  {
    const Fd left(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(&address.sun_path[0], path.c_str(), path.size());
    ASSERT_EQ(::bind(left.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  Ending ending;
  EXPECT_TRUE(Channel::open({.kind = Kind::socket, .path = path}, ending));
}

TEST(Channel, AFifoWithoutAReaderIsRefused) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  Ending ending;
  const auto refused = Channel::open({.kind = Kind::file, .path = path}, ending);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().advice.find("reader"), std::string::npos);
  const Fd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK));
  const auto channel = Channel::open({.kind = Kind::file, .path = path}, ending).value();
  EXPECT_FALSE(channel->file());
  ASSERT_TRUE(channel->begin());
  channel->put(bytes("through"));
  EXPECT_EQ(read_some(reader.get()), "through");
}

TEST(Channel, WhatNobodyReadsKeepsNobodyWaiting) {
  const test::TemporaryFolder folder;
  Ending ending;
  for (const ChannelSpec& spec :
       {ChannelSpec{.kind = Kind::pty}, {.kind = Kind::socket, .path = folder.path("socket")}}) {
    const auto channel = Channel::open(spec, ending).value();
    const std::string block(1000, 'x');
    for (int i = 0; i < 1000; ++i) channel->put(bytes(block));
    const std::string left = channel->finish();
    EXPECT_NE(left.find("of the guest's output were not read from"), std::string::npos) << left;
    EXPECT_NE(left.find("were dropped"), std::string::npos) << left;
  }
}

TEST(Channel, APtysReaderIsGivenAllThatIsKept) {
  MachineClock clock;
  Ending ending;
  const auto channel = Channel::open({.kind = Kind::pty}, ending).value();
  EventLoop loop(clock);
  channel->run_on(loop);
  std::string sent;
  for (int i = 0; i < 2000; ++i) sent += std::to_string(i) + std::string(90, '.');
  channel->put(bytes(sent));
  const Fd other(::open(channel->place().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::string got;
  while (got.size() < sent.size() && readable(other.get())) got += read_some(other.get());
  EXPECT_TRUE(got == sent) << got.size() << " of " << sent.size();
  loop.stop();
  EXPECT_EQ(channel->finish(), "");
}

TEST(Channel, ASocketGoesWithItsChannelAndIsNotTakenFromOthers) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("socket");
  Ending ending;
  {
    const auto channel = Channel::open({.kind = Kind::socket, .path = path}, ending).value();
    const auto second = Channel::open({.kind = Kind::socket, .path = path}, ending);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().status, Status::output);
    EXPECT_FALSE(second.error().advice.empty());
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(Channel, ASocketsNameHasABound) {
  Ending ending;
  const auto channel =
      Channel::open({.kind = Kind::socket, .path = "/tmp/" + std::string(108, 'x')}, ending);
  ASSERT_FALSE(channel);
  EXPECT_NE(channel.error().why.find("107 bytes"), std::string::npos) << channel.error().why;
}

}  // namespace
}  // namespace vmctl
