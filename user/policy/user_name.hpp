// SPDX-License-Identifier: GPL-2.0
// Users by name and by number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vmctl {

// As the system knows them.
std::optional<std::uint32_t> find_user(std::string_view name);

// By number, or by name. usage: there is none.
Result<std::uint32_t> uid_of(std::string_view user);

// A user as a word of the policy's file: by this name if it is a word there, else by number.
std::string word_for(std::string_view name, std::uint32_t uid);

}  // namespace vmctl
