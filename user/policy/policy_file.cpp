// SPDX-License-Identifier: GPL-2.0
#include "policy/policy_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/bytes.hpp"
#include "base/size.hpp"

namespace vmctl {
namespace {

// That the module keeps (VMCTL_SET_LIMITS).
constexpr unsigned kUsers = 1024;

struct Word {
  std::string_view text;
  std::size_t column = 0;  // from 1
};

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

std::vector<Word> words_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<Word> words;
  for (std::size_t at = 0; at < line.size();) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < line.size() && !is_blank(line[end])) ++end;
    words.push_back({line.substr(at, end - at), at + 1});
    at = end;
  }
  return words;
}

// One line after the other, into the policy.
class Parser {
 public:
  Parser(std::string_view path, const FindUser& find_user) : path_(path), find_user_(find_user) {}

  Result<> line(std::string_view text) {
    ++number_;
    words_ = words_of(text);
    end_ = std::min(text.size(), text.find('#')) + 1;
    next_ = 0;
    lines_.push_back({.text = text, .rule = {}});
    if (words_.empty()) return {};
    for (const Word& word : words_)
      if (std::ranges::any_of(word.text, is_control))
        return fail(wrong(word, "has characters that no word of a policy has"));
    const Scope scope = TRY(whose());
    const Resource resource = TRY(which(scope));
    const Word word = TRY(take("a limit"));
    const auto value = parse_limit(resource, word.text);
    if (!value) return fail(wrong(word, value.error().why));
    if (next_ < words_.size()) return fail(wrong(words_[next_], "one word too many"));
    if (scope.kind == VMCTL_SCOPE_USER && !policy_.contains(scope) && ++users_ > kUsers)
      return fail(wrong(words_.front(), "the module keeps limits of 1024 users at most"));
    auto& limit = policy_[scope][resource];
    if (limit) return fail(wrong(words_.front(), "this limit is already set further up"));
    limit = *value;
    lines_.back().rule = {.scope = scope, .resource = resource};
    return {};
  }
  Result<> text(std::string_view text) {
    if (text.size() >= kPolicySize)
      return fail({.status = Status::bad_image,
                   .what = "the policy is too large",
                   .where = std::string(path_),
                   .why = "1 MiB or more"});
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      TRY(line(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
  }
  Policy take_policy() { return std::move(policy_); }
  std::vector<PolicyLine> take_lines() { return std::move(lines_); }

 private:
  Error wrong(const Word& word, std::string why) const {
    return {.status = Status::bad_image,
            .what = word.text.empty() ? "the line is too short"
                                      : fmt::format("'{}'", escaped(word.text)),
            .where = fmt::format("{}:{}:{}", path_, number_, word.column),
            .why = std::move(why),
            .advice =
                "a line is: total|each|user NAME, vms|vcpus|memory|vm_vcpus|nested, a number or "
                "max"};
  }
  Result<Word> take(std::string_view what) {
    if (next_ == words_.size())
      return fail(wrong({.text = "", .column = end_}, fmt::format("{} is missing", what)));
    return words_[next_++];
  }
  Result<Scope> whose() {
    const Word word = TRY(take("whose limit it is"));
    if (word.text == "total") return Scope::total();
    if (word.text == "each") return Scope::each();
    if (word.text != "user") return fail(wrong(word, "not total, each or user"));
    const Word name = TRY(take("the user's name or number"));
    if (std::ranges::all_of(name.text, [](char c) { return c >= '0' && c <= '9'; })) {
      const auto uid = parse_number(name.text);
      // -1 is nobody's: chown(2).
      if (!uid || *uid >= std::numeric_limits<std::uint32_t>::max())
        return fail(wrong(name, "too large for the number of a user"));
      return Scope::user(static_cast<std::uint32_t>(*uid));
    }
    const auto uid = find_user_(name.text);
    if (!uid) return fail(wrong(name, "there is no user of this name"));
    return Scope::user(*uid);
  }
  Result<Resource> which(const Scope& scope) {
    const Word word = TRY(take("what is limited"));
    const auto resource = resource_of(word.text);
    if (!resource) return fail(wrong(word, "not vms, vcpus, memory, vm_vcpus or nested"));
    if (!has_limit(scope.kind, *resource))
      return fail(wrong(word, "is of one VM: for each or a user alone"));
    return *resource;
  }

  std::string_view path_;
  const FindUser& find_user_;
  std::size_t number_ = 0;
  std::vector<Word> words_;
  std::size_t next_ = 0;
  std::size_t end_ = 1;  // the column behind the line
  Policy policy_;
  std::vector<PolicyLine> lines_;
  unsigned users_ = 0;
};

}  // namespace

Result<Policy> parse_policy(std::string_view text, std::string_view path,
                            const FindUser& find_user) {
  Parser parser(path, find_user);
  TRY(parser.text(text));
  return parser.take_policy();
}

Result<std::vector<PolicyLine>> parse_policy_lines(std::string_view text, std::string_view path,
                                                   const FindUser& find_user) {
  Parser parser(path, find_user);
  TRY(parser.text(text));
  return parser.take_lines();
}

}  // namespace vmctl
