#include "cli/man_page.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace nngpcheck::cli {

namespace {

/// Text that roff takes literally: no escapes, no requests at the start of a line, hyphens that can be
/// searched.
std::string literal(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (result.empty() || result.back() == '\n') {
      if (c == '.' || c == '\'') result += "\\&";
    }
    if (c == '\\')
      result += "\\e";
    else if (c == '-')
      result += "\\-";
    else
      result += c;
  }
  return result;
}

/// "--out DIR": as --help has it.
std::string heading(const CLI::Option& option) {
  std::string value = option.get_option_text();
  if (value.empty() && option.get_items_expected_max() > 0) value = option.get_type_name();
  const std::string name =
      "\\fB" + literal(option.get_positional() ? option.get_name(true) : option.get_name(false, true)) +
      "\\fR";
  return value.find_first_not_of(' ') == std::string::npos ? name : name + " " + literal(value);
}

std::string options(const CLI::App& app) {
  std::string result;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    result += ".TP\n" + heading(*option) + "\n" + literal(option->get_description()) + "\n";
  }
  return result;
}

}  // namespace

std::string man_page(const CLI::App& app) {
  std::string commands;
  for (const CLI::App* command : app.get_subcommands({})) {
    commands += fmt::format(".SS {} {}\n{}.\n{}", app.get_name(), command->get_name(),
                            literal(command->get_description()), options(*command));
  }
  return fmt::format(
      ".TH NNGPCHECK 1 \"\" \"nngpcheck {}\" \"User Commands\"\n"
      ".SH NAME\nnngpcheck \\- check that wide random networks and a Gaussian\\-process kernel agree\n"
      ".SH SYNOPSIS\n.B nngpcheck\n.I COMMAND\n[\\fIOPTIONS\\fR]\n"
      ".SH DESCRIPTION\n{}\n"
      "Experiment files are TOML. README.md and docs/architectures.md, installed in share/doc/nngpcheck, say "
      "how they "
      "look.\n"
      ".SH OPTIONS\n{}.SH COMMANDS\n{}.SH EXIT STATUS\n{}\n",
      NNGPCHECK_VERSION, literal(app.get_description()), options(app), commands, literal(app.get_footer()));
}

}  // namespace nngpcheck::cli
