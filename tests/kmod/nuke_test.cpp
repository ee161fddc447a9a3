// SPDX-License-Identifier: GPL-2.0-only
//
// What can be read from the devices of nuke.ko and written to them.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <limits>
#include <thread>

#include "nuke.hpp"

namespace {

using namespace t;

TEST_F(Nuke, HasTwoNodesForRootAlone) {
  EXPECT_EQ(nuke_nodes(), (std::vector<std::string>{"nuke0", "nuke1"}));
  struct stat node[2] = {};
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(::stat(nuke_path(i).c_str(), &node[i]), 0);
    EXPECT_EQ(node[i].st_mode, S_IFCHR | mode_t{0600});
    EXPECT_EQ(node[i].st_uid, 0U);
  }
  EXPECT_EQ(major(node[0].st_rdev), major(node[1].st_rdev));
  EXPECT_EQ(minor(node[0].st_rdev) + 1, minor(node[1].st_rdev));
}

TEST_F(Nuke, IsClosedToOthers) {
  EXPECT_EQ(in_child([]() -> std::string {
              NEED_EQ(become(65534), kDone);
              for (const int flags : {O_RDONLY, O_WRONLY, O_RDWR}) {
                NEED_EQ(Ret::of(::open("/dev/nuke0", flags)), -EACCES);
              }
              return "";
            }),
            "");
}

TEST_F(Nuke, GivesItsTextOnceToEachOpenFile) {
  std::vector<Fd> files(100);
  for (std::size_t i = 0; i < files.size(); ++i) {
    files[i] = open_nuke(static_cast<int>(i % 2), O_RDONLY);
  }
  std::vector<std::string> texts(files.size());
  for (std::size_t step = 0; step < kWarning.size(); ++step) {
    for (std::size_t i = 0; i < files.size(); ++i) texts[i] += read_text(files[i], 1);
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(texts[i], kWarning);
    EXPECT_EQ(read_text(files[i], 100), "");
    EXPECT_EQ(read_text(files[i], 1), "");
  }
}

TEST_F(Nuke, ReadsInPiecesOfAnySize) {
  for (std::size_t size = 1; size <= kWarning.size() + 3; ++size) {
    const Fd file = open_nuke(0, O_RDONLY);
    for (std::size_t at = 0; at < kWarning.size(); at += size) {
      EXPECT_EQ(read_text(file, size), kWarning.substr(at, size)) << size << " at " << at;
    }
    EXPECT_EQ(read_text(file, size), "") << size;
  }
  EXPECT_EQ(read_text(open_nuke(1, O_RDONLY), 1 << 20), kWarning);
}

TEST_F(Nuke, WritesNoByteBehindTheText) {
  std::string buffer(4096, '\xcc');
  ASSERT_EQ(Ret::of(::read(open_nuke(0), buffer.data(), buffer.size())), long{kWarning.size()});
  EXPECT_EQ(buffer.find_first_not_of('\xcc', kWarning.size()), std::string::npos);
}

TEST_F(Nuke, ReadsAtAnyOffset) {
  const Fd file = open_nuke(0, O_RDONLY);
  for (std::size_t at = 0; at <= kWarning.size() + 2; ++at) {
    for (std::size_t size = 0; size <= kWarning.size() + 2; ++size) {
      std::string text(size, '\xcc');
      const auto wanted = kWarning.substr(std::min(at, kWarning.size()), size);
      ASSERT_EQ(Ret::of(::pread(file, text.data(), size, static_cast<off_t>(at))),
                static_cast<long>(wanted.size()))
          << size << " at " << at;
      EXPECT_EQ(text.substr(0, wanted.size()), wanted);
    }
  }
  char byte = 0;
  for (const off_t far : {off_t{4096}, off_t{1} << 32, std::numeric_limits<off_t>::max() - 1}) {
    EXPECT_EQ(Ret::of(::pread(file, &byte, 1, far)), 0) << far;
  }
  EXPECT_EQ(Ret::of(::pread(file, &byte, 1, -1)), -EINVAL);
  EXPECT_EQ(read_text(file, 100), kWarning) << "the position has not moved";
}

TEST_F(Nuke, SeeksWithinItsText) {
  constexpr auto kEnd = static_cast<off_t>(kWarning.size());
  const Fd file = open_nuke(0, O_RDONLY);
  const struct {
    off_t offset;
    int whence;
    long lands;
  } rows[] = {{5, SEEK_SET, 5},
              {3, SEEK_CUR, 8},
              {-9, SEEK_CUR, -EINVAL},
              {0, SEEK_END, kEnd},
              {1, SEEK_END, -EINVAL},
              {-4, SEEK_END, kEnd - 4},
              {-1, SEEK_SET, -EINVAL},
              {kEnd + 1, SEEK_SET, -EINVAL},
              {std::numeric_limits<off_t>::max(), SEEK_CUR, -EINVAL},
              {0, SEEK_DATA, -EINVAL},
              {0, SEEK_HOLE, -EINVAL}};
  off_t at = 0;
  for (const auto& row : rows) {
    EXPECT_EQ(Ret::of(::lseek(file, row.offset, row.whence)), row.lands)
        << row.offset << " from " << row.whence;
    if (row.lands >= 0) at = row.lands;
    EXPECT_EQ(::lseek(file, 0, SEEK_CUR), at);
  }
  EXPECT_EQ(read_text(file, 100), kWarning.substr(static_cast<std::size_t>(at)));
  ASSERT_EQ(::lseek(file, 0, SEEK_SET), 0);
  EXPECT_EQ(read_text(file, 100), kWarning) << "once more, from the start";
}

TEST_F(Nuke, ExplodesAtFourBytesAndNoOtherLength) {
  const std::string twice = std::string(kSecret) + std::string(kSecret);
  for (std::size_t size = 0; size <= twice.size(); ++size) {
    const Fd file = open_nuke(0, O_WRONLY);
    EXPECT_EQ(write_text(file, twice.substr(0, size)), static_cast<long>(size));
    const Said now = said();
    EXPECT_EQ(now.picture.size(), size == 4 ? kPictureLines : 0) << size;
    EXPECT_EQ(now.incorrect.size(), size == 0 || size == 4 ? 0 : 1) << size;
  }
}

TEST_F(Nuke, DoesNotPutSeveralWritesTogether) {
  const Fd file = open_nuke(0);
  EXPECT_EQ(write_text(file, kSecret.substr(0, 2)), 2);
  EXPECT_EQ(write_text(file, kSecret.substr(2)), 2);
  for (const char byte : kSecret) EXPECT_EQ(write_text(file, {&byte, 1}), 1);
  EXPECT_EQ(said().picture.size(), 0U);
}

TEST_F(Nuke, TakesEachBitOfTheSecretSeriously) {
  const Fd file = open_nuke(0);
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::string wrong(kSecret);
    wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(write_text(file, wrong), 4);
  }
  EXPECT_EQ(said().picture.size(), 0U);
  EXPECT_EQ(write_text(file, kSecret), 4);
  EXPECT_EQ(said().picture.size(), kPictureLines);
}

TEST_F(Nuke, TakesLongWritesWhole) {
  const std::string large(1 << 20, '\x14');
  EXPECT_EQ(write_text(open_nuke(0), large), long{1 << 20});
  EXPECT_EQ(said().incorrect.size(), 1U);
}

TEST_F(Nuke, WritesAnywhereAndMovesNothing) {
  const Fd file = open_nuke(1);
  EXPECT_EQ(Ret::of(::pwrite(file, kSecret.data(), kSecret.size(), 1000)), 4);
  EXPECT_EQ(said().picture.size(), kPictureLines);
  EXPECT_EQ(write_text(file, "wrong"), 5);
  EXPECT_EQ(read_text(file, 100), kWarning);
  EXPECT_EQ(write_text(file, kSecret), 4);
  EXPECT_EQ(said().picture.size(), kPictureLines);
}

TEST_F(Nuke, RefusesPointersToNothing) {
  Mapping two = Mapping::memory(2 * page_size());
  ASSERT_EQ(::mprotect(two.data() + page_size(), page_size(), PROT_NONE), 0);
  std::uint8_t* const nothing = two.data() + page_size();
  std::copy(kSecret.begin(), kSecret.end() - 2, nothing - 2);
  auto* const kernel = reinterpret_cast<void*>(0xffffffff81000000UL);  // NOLINT
  const Fd file = open_nuke(0);
  for (void* const where : {static_cast<void*>(nothing), static_cast<void*>(nullptr), kernel}) {
    for (const std::size_t size : {1, 4, 100}) {
      EXPECT_EQ(Ret::of(::read(file, where, size)), -EFAULT) << where << ", " << size;
      EXPECT_EQ(Ret::of(::write(file, where, size)), -EFAULT) << where << ", " << size;
    }
  }
  EXPECT_EQ(Ret::of(::write(file, nothing - 2, 4)), -EFAULT);
  const Said now = said();
  EXPECT_EQ(now.picture.size() + now.incorrect.size(), 0U);

  // What fits before the hole may be given, and then goes on behind it.
  const Ret some = Ret::of(::read(file, nothing - 5, 100));
  ASSERT_TRUE(some == -EFAULT || (some.value > 0 && some.value <= 5)) << some;
  const auto given = static_cast<std::size_t>(std::max(some.value, 0L));
  EXPECT_EQ(std::string(nothing - 5, nothing - 5 + given), kWarning.substr(0, given));
  EXPECT_EQ(read_text(file, 100), kWarning.substr(given));
  EXPECT_EQ(Ret::of(::read(file, nothing, 100)), 0) << "at the end nothing is given";
}

TEST_F(Nuke, SaysLittleToWhoeverGuesses) {
  const Fd loud = open_nuke(0);
  const Fd quiet = open_nuke(1);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(write_text(loud, "guess"), 5);
  const Said now = said();
  EXPECT_GE(now.incorrect.size(), 1U);
  EXPECT_LT(now.incorrect.size(), 100U);
  for (const std::string& line : now.incorrect) EXPECT_EQ(line, "nuke0: incorrect secret");

  EXPECT_EQ(write_text(quiet, "guess"), 5);
  EXPECT_EQ(said().incorrect, std::vector<std::string>{"nuke1: incorrect secret"});
  EXPECT_EQ(write_text(loud, kSecret), 4);
  EXPECT_EQ(said().picture.size(), kPictureLines);
}

TEST_F(Nuke, PaintsInRedWhereItIsSeen) {
  const Fd file = open_nuke(0);
  ASSERT_EQ(write_text(file, kSecret), 4);
  std::vector<std::string> lines;
  for (const KernelLine& line : log_.fresh()) {
    if (!line.text.starts_with("nuke: ")) continue;
    EXPECT_LT(line.level, 4) << "seen on a console under quiet";
    EXPECT_GT(line.level, 0) << "but not sent to every terminal";
    const std::string text = line.text.substr(6);
    ASSERT_TRUE(text.starts_with("\x1b[31m") && text.ends_with("\x1b[0m")) << text;
    lines.push_back(text.substr(5, text.size() - 9));
    EXPECT_EQ(lines.back().find('\x1b'), std::string::npos);
  }
  ASSERT_EQ(lines.size(), kPictureLines);
  EXPECT_NE(lines.front().find('*'), std::string::npos);
  EXPECT_NE(lines.back().find("B  O  O  M"), std::string::npos);
}

TEST_F(Nuke, DoesNotMixThePicturesOfSeveralWriters) {
  ASSERT_EQ(write_text(open_nuke(0), kSecret), 4);
  const std::vector<std::string> picture = said().picture;
  constexpr std::size_t kTurns = 20;
  const auto write_often = [](int index) {
    const Fd file = open_nuke(index);
    for (std::size_t turn = 0; turn < kTurns; ++turn) EXPECT_EQ(write_text(file, kSecret), 4);
  };
  std::thread other([&] { write_often(1); });
  write_often(0);
  other.join();
  const std::vector<std::string> all = said().picture;
  ASSERT_EQ(all.size(), 2 * kTurns * picture.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i], picture[i % picture.size()]) << "line " << i;
  }
}

}  // namespace
