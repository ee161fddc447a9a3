// SPDX-License-Identifier: GPL-2.0
// How a failure travels: one Error, one Result, and TRY() to hand a failure on.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace vmctl {

// The exit status of the program; the numbers are its interface (vmctl load --help).
// 1 to 63 are the guest's own, 128 + N stands for signal N.
enum class Status : int {
  ok = 0,
  usage = 64,
  bad_image = 65,
  no_input = 66,
  unavailable = 69,
  internal = 70,
  output = 74,
  refused = 77,
  triple_fault = 80,
  kvm_failure = 81,
  unhandled_exit = 82,
  timeout = 124,
};

// What failed, where (a file and offset, an address, a device), why, and what to do about it.
// All but `what` and `why` may be empty.
struct Error {
  Status status = Status::internal;
  std::string what;
  std::string where;
  std::string why;
  std::string advice;

  // "what: where: why", and the advice on lines of its own; safe on a terminal, as escaped() is.
  std::string text() const;
};

// An Error on its way up: a pointer, so that what a function needs to hand one on is small.
class BoxedError {
 public:
  explicit BoxedError(Error&& error);
  BoxedError(const BoxedError& other);
  BoxedError(BoxedError&&) noexcept = default;
  BoxedError& operator=(const BoxedError& other);
  BoxedError& operator=(BoxedError&&) noexcept = default;
  ~BoxedError() = default;

  // Not of one that was moved from.
  Error& operator*() { return *error_; }
  const Error& operator*() const { return *error_; }

 private:
  struct Delete {
    void operator()(Error* error) const noexcept;
  };
  std::unique_ptr<Error, Delete> error_;
};

using Failure = tl::unexpected<BoxedError>;

template <class T = void>
class [[nodiscard]] Result : public tl::expected<T, BoxedError> {
 public:
  using tl::expected<T, BoxedError>::expected;

  Error& error() & { return *boxed(); }
  const Error& error() const& { return *tl::expected<T, BoxedError>::error(); }
  Error&& error() && { return std::move(*boxed()); }
  BoxedError& boxed() { return tl::expected<T, BoxedError>::error(); }
};

Failure fail(Error error);

// "No such file or directory" for ENOENT.
std::string errno_text(int error);

namespace detail {
template <class R>
auto value_of(R& result) {
  if constexpr (!std::is_void_v<typename R::value_type>) return std::move(*result);
}
}  // namespace detail

}  // namespace vmctl

// The value of a Result; or return its error from the calling function. A statement expression
// (GCC and clang), so that the value can be used where it is made.
#define TRY(expression)                                                        \
  ({                                                                           \
    auto try_result_ = (expression);                                           \
    if (!try_result_) return ::vmctl::Failure(std::move(try_result_.boxed())); \
    ::vmctl::detail::value_of(try_result_);                                    \
  })
