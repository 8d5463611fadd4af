// The man page, from what --help says.
#pragma once

#include <CLI/App.hpp>
#include <string>

namespace nngpcheck::cli {

/// nngpcheck(1) in the language of man(7): the commands of the application with all their options.
std::string man_page(const CLI::App& app);

}  // namespace nngpcheck::cli
