// SPDX-License-Identifier: GPL-2.0
#include "machine/outside.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/bytes.hpp"

namespace vmctl {
namespace {

Failure refuse_file(std::string_view option, const std::string& path, bool image) {
  return fail({.status = Status::usage,
               .what = fmt::format("{} file:{}", option, escaped(path)),
               .why = image ? "it is the guest's image, which would be overwritten"
                            : "the other serial port writes to it"});
}

}  // namespace

Result<> Outside::open(const ChannelSpec& com1, const ChannelSpec& com2,
                       const std::optional<FileId>& image) {
  if (com1_) return {};
  auto first = TRY(Console::open(com1, ending_));
  std::unique_ptr<Console> second;
  if (com2.kind != ChannelSpec::Kind::none) second = TRY(Console::open(com2, ending_));
  const auto file1 = first->file();
  const auto file2 = second ? second->file() : std::nullopt;
  if (file1 && (file1 == image || file1 == file2))
    return refuse_file("--console", com1.path, file1 == image);
  if (file2 && file2 == image) return refuse_file("--com2", com2.path, true);
  com1_ = std::move(first);
  com2_ = std::move(second);
  com1_->run_on(loop_);
  if (com2_) com2_->run_on(loop_);
  return {};
}

Result<> Outside::begin() {
  if (std::exchange(begun_, true)) return {};
  TRY(com1_->begin());
  if (com2_) TRY(com2_->begin());
  return {};
}

void Outside::start(MachineControl& machine) {
  com1_->start(machine);
  if (com2_) com2_->start(machine);
  loop_.go_on();
}

void Outside::pause() {
  loop_.stop();
}

std::vector<std::string> Outside::stop(std::string_view end) {
  loop_.stop();
  std::vector<std::string> notes;
  if (com1_) notes.push_back(com1_->stop(end));
  if (com2_) notes.push_back(com2_->stop(end));
  return notes;
}

}  // namespace vmctl
