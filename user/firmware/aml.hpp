// SPDX-License-Identifier: GPL-2.0
// ACPI Machine Language (ACPI 6.5, chapter 20.2): as much of it as describes this machine. Each
// function gives the bytes of one term.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "firmware/writer.hpp"

namespace vmctl::firmware::aml {

Bytes join(std::initializer_list<Bytes> terms);

// "_SB_.PCI0", "\\_S5": segments of one to four characters, filled up with underscores.
Bytes name_string(std::string_view path);

Bytes integer(std::uint64_t value);
// "PNP0501": three capital letters and four hexadecimal digits, as one number (EISAID).
Bytes eisa_id(std::string_view id);
// At most 255 elements.
Bytes package(std::span<const Bytes> elements);
Bytes buffer(const Bytes& bytes);

Bytes name(std::string_view path, const Bytes& value);
Bytes scope(std::string_view path, const Bytes& body);
Bytes device(std::string_view path, const Bytes& body);
// Up to seven arguments; not serialized.
Bytes method(std::string_view path, unsigned arguments, const Bytes& body);

Bytes argument(unsigned number);
Bytes store(const Bytes& value, std::string_view path);
Bytes return_of(const Bytes& value);
Bytes if_else(const Bytes& condition, const Bytes& then, const Bytes& otherwise);

// Resource descriptors (ACPI 6.5, 6.4), and the buffer of them that _CRS gives.
Bytes io_ports(std::uint16_t base, std::uint8_t size);
Bytes irq(unsigned number);  // edge, active high, not shared
Bytes bus_numbers(std::uint16_t first, std::uint16_t last);
Bytes io_window(std::uint16_t first, std::uint16_t last);
Bytes memory_window(std::uint32_t first, std::uint32_t last);
Bytes resources(std::initializer_list<Bytes> descriptors);

}  // namespace vmctl::firmware::aml
