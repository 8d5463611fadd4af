#include <algorithm>
#include <iomanip>
#include <map>
#include <sstream>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/netsor/printer.hpp"

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

std::size_t index_of(const std::string& name) {
  return static_cast<std::size_t>(std::stoul(name.substr(1))) - 1;
}

// The layer, or the module of an imported model, that an instruction comes from; on one line.
std::string layer_of(const netsor::Program& program, const std::string& name) {
  const netsor::Node& node = program.nodes()[index_of(name)];
  std::string layer = node.origin ? node.origin->layer : "";
  std::replace_if(
      layer.begin(), layer.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return layer;
}

// "kinks and jumps of f in [-10, 10]: -3, 3", for each activation that is no Kind of its own.
std::string explain_breakpoints(const netsor::Program& program) {
  constexpr std::size_t most = 12;
  std::map<std::string, netsor::Activation> activations;
  for (const netsor::Node& node : program.nodes()) {
    if (const auto* map = std::get_if<netsor::Map>(&node.operation)) {
      activations.emplace(map->activation.name(), map->activation);
    }
  }
  std::ostringstream out;
  for (const auto& [name, phi] : activations) {
    using Kind = netsor::Activation::Kind;
    if (phi.kind() != Kind::expression && phi.kind() != Kind::custom) continue;
    const netsor::Breakpoints found = phi.breakpoints(-10, 10);
    out << "kinks and jumps of " << name << " in [-10, 10]: ";
    for (std::size_t k = 0; k < std::min(most, found.points.size()); ++k) {
      out << (k > 0 ? ", " : "") << std::setprecision(6) << found.points[k];
    }
    if (found.points.empty()) out << (found.complete ? "none" : "none known");
    if (found.points.size() > most) out << ", … (" << found.points.size() << ")";
    if (!found.complete) out << "; there may be others, so its error bars are estimates";
    out << "\n";
  }
  return out.str();
}

}  // namespace

std::string explain(const netsor::Program& program, const Limit& limit) {
  std::ostringstream out;
  out << pad("E[XᵀY] of X, Y", 16) << pad("X", 28) << pad("Y", 28) << pad("rule", 20)
      << pad("evaluations", 13) << pad("bound", 9) << pad("standard error", 16) << "layers\n";
  const auto text = [&](const std::string& name) { return print_operation(program, index_of(name)); };
  for (const PlanStep& step : limit.plan) {
    out << pad(step.left + ", " + step.right, 16) << pad(text(step.left), 28) << pad(text(step.right), 28)
        << pad(to_string(step.rule), 20) << pad(std::to_string(step.evaluations), 13)
        << pad(scientific(step.bound), 9) << pad(scientific(step.standard_error), 16)
        << layer_of(program, step.left);
    if (layer_of(program, step.right) != layer_of(program, step.left))
      out << ", " << layer_of(program, step.right);
    out << "\n";
  }
  return out.str() + explain_breakpoints(program);
}

}  // namespace nngpcheck::analytic
