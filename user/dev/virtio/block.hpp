// SPDX-License-Identifier: GPL-2.0
// A virtio block device (virtio 1.2, 5.2) on a file or a block device. What was written is on
// stable storage when a flush is done, or at once for a driver that does not know how to flush
// (5.2.6.2).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "dev/virtio/device.hpp"

namespace vmctl {

class VirtioBlock final : public VirtioDevice {
 public:
  static constexpr std::uint64_t kSector = 512;
  static constexpr std::size_t kIdSize = 20;

  struct Disk {
    Fd fd;
    std::uint64_t size = 0;  // in bytes, whole sectors
    bool read_only = false;
    std::string id;  // what GET_ID answers, at most kIdSize bytes
  };
  explicit VirtioBlock(Disk disk);

  std::uint16_t type() const override { return 2; }
  std::uint32_t pci_class() const override { return 0x018000; }
  std::string_view name() const override { return "virtio block"; }
  std::uint64_t features() const override;
  std::vector<std::uint16_t> queue_sizes() const override { return {kQueueSize}; }
  std::uint32_t config_size() const override { return kConfigSize; }
  void read_config(std::uint64_t offset, std::span<std::uint8_t> data) const override;
  Result<> serve(unsigned index) override;

 private:
  static constexpr std::uint16_t kQueueSize = 128;
  static constexpr std::uint32_t kConfigSize = 60;
  enum class Outcome : std::uint8_t { ok = 0, io_error = 1, unsupported = 2 };  // 5.2.6

  struct Request {
    std::uint32_t type;
    std::uint32_t reserved;
    std::uint64_t sector;
  };
  // One request: the bytes of data that were written, its outcome.
  Outcome handle(const Request& request, const Chain& chain, std::uint64_t& written) const;
  Outcome read(std::uint64_t sector, const Chain& chain, std::uint64_t& written) const;
  Outcome write(std::uint64_t sector, const Chain& chain) const;
  Outcome flush() const;
  Outcome get_id(const Chain& chain, std::uint64_t& written) const;
  Outcome ranges(const Chain& chain, bool zeroes) const;
  Outcome discard(std::uint64_t offset, std::uint64_t length) const;
  Outcome write_zeroes(std::uint64_t offset, std::uint64_t length, bool unmap) const;

  // Whether these are whole sectors of the disk.
  bool within(std::uint64_t sector, std::uint64_t bytes) const;
  // What a driver that does not flush has of every write.
  Outcome settled() const;

  const Disk disk_;
  std::array<std::uint8_t, kConfigSize> config_{};
  Chain chain_;
};

}  // namespace vmctl
