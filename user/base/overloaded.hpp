// SPDX-License-Identifier: GPL-2.0
// One callable out of several, for std::visit.
#pragma once

namespace vmctl {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace vmctl
