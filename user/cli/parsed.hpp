// SPDX-License-Identifier: GPL-2.0
// Options whose text one of our parsers understands; its words become CLI11's.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.hpp"

namespace vmctl::cli {

template <class Parse, class Store>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, const std::string& help,
                        const char* type, Parse parse, Store store) {
  return app
      .add_option_function<std::string>(
          name,
          [name, parse, store](const std::string& text) {
            auto value = parse(text);
            if (!value) {
              const Error& error = value.error();
              throw CLI::ValidationError(
                  name, error.what + ": " + error.why +
                            (error.advice.empty() ? "" : " (" + error.advice + ")"));
            }
            store(*value);
          },
          help)
      ->type_name(type);
}

}  // namespace vmctl::cli
