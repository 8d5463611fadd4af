#include <algorithm>
#include <iomanip>
#include <sstream>

#include "analytic/limit.hpp"
#include "netsor/printer.hpp"

namespace nngpcheck::analytic {

namespace {

// Pads to a number of characters on screen: UTF-8 continuation bytes take no room.
std::string pad(std::string text, std::size_t width) {
  const auto shown = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  return shown < width ? text + std::string(width - shown, ' ') : text;
}

std::string scientific(double value) {
  std::ostringstream out;
  out << std::setprecision(1) << std::scientific << value;
  return value == 0 ? "0" : out.str();
}

}  // namespace

std::string explain(const netsor::Program& program, const Limit& limit) {
  std::ostringstream out;
  out << pad("E[XᵀY] of X, Y", 16) << pad("X", 28) << pad("Y", 28) << pad("rule", 20)
      << pad("evaluations", 13) << pad("bound", 9) << "standard error\n";
  const auto text = [&](const std::string& name) {
    const auto index = static_cast<std::size_t>(std::stoul(name.substr(1))) - 1;
    return print_operation(program, index);
  };
  for (const PlanStep& step : limit.plan) {
    out << pad(step.left + ", " + step.right, 16) << pad(text(step.left), 28) << pad(text(step.right), 28)
        << pad(to_string(step.rule), 20) << pad(std::to_string(step.evaluations), 13)
        << pad(scientific(step.bound), 9) << scientific(step.standard_error) << "\n";
  }
  return out.str();
}

}  // namespace nngpcheck::analytic
