// SPDX-License-Identifier: GPL-2.0
#include "base/result.hpp"

#include <system_error>

#include "base/terminal.hpp"

namespace vmctl {

std::string Error::text() const {
  std::string text = for_terminal(what);
  if (!where.empty()) text += ": " + for_terminal(where);
  if (!why.empty()) text += ": " + for_terminal(why);
  if (!advice.empty()) text += "\n  " + for_terminal(advice, "\n");
  return text;
}

BoxedError::BoxedError(Error&& error)
    : error_(std::make_unique<Error>(std::move(error)).release()) {}

BoxedError::BoxedError(const BoxedError& other) : BoxedError(Error(*other)) {}

BoxedError& BoxedError::operator=(const BoxedError& other) {
  return *this = BoxedError(other);
}

void BoxedError::Delete::operator()(Error* error) const noexcept {
  std::default_delete<Error>()(error);
}

Failure fail(Error error) {
  return Failure(BoxedError(std::move(error)));
}

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

}  // namespace vmctl
