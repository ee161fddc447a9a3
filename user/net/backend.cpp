// SPDX-License-Identifier: GPL-2.0
#include "net/backend.hpp"

#include "net/slirp.hpp"
#include "net/tap.hpp"

namespace vmctl {

Result<std::unique_ptr<NetBackend>> NetBackend::open(const NetSpec& spec) {
  switch (spec.kind) {
    case NetSpec::Kind::user:
      return SlirpNetwork::open(spec);
    case NetSpec::Kind::tap:
      return Tap::open(spec.interface);
    case NetSpec::Kind::none:
      break;
  }
  return fail({.status = Status::internal, .what = "no network is to be opened"});
}

}  // namespace vmctl
