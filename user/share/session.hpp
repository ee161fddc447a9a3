// SPDX-License-Identifier: GPL-2.0
// FUSE's protocol by libfuse's low-level interface, over a folder: libfuse speaks with the guest
// instead of a kernel (fuse_session_custom_io).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "share/folder.hpp"
#include "share/server.hpp"

struct fuse_session;
struct iovec;

namespace vmctl {

class ShareSession final : public FuseServer {
 public:
  static Result<std::unique_ptr<ShareSession>> open(const std::string& path, bool read_only);

  std::size_t serve(std::span<const std::uint8_t> request, std::size_t room,
                    const Write& write) override;
  void restart() override;

  Folder& folder() { return folder_; }
  // For what is read from a file; as large as it has been needed.
  std::span<std::uint8_t> buffer(std::size_t size);

 private:
  struct Destroy {
    void operator()(fuse_session* session) const;
  };
  struct Answer {
    std::size_t room = 0;
    const Write* write = nullptr;
    std::size_t length = 0;
  };

  explicit ShareSession(Folder folder) : folder_(std::move(folder)) {}
  Result<> create();
  // libfuse's writev and ours: all of an answer at once.
  static ssize_t take(int fd, iovec* parts, int count, void* self);
  std::size_t refuse(std::span<const std::uint8_t> request, int error) const;

  Folder folder_;
  Answer answer_;  // of the request that is being served
  std::vector<std::uint8_t> buffer_;
  std::unique_ptr<fuse_session, Destroy> session_;
};

}  // namespace vmctl
