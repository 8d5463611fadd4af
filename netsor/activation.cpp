#include "netsor/activation.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "netsor/error.hpp"
#include "netsor/spelling.hpp"

namespace nngpcheck::netsor {

namespace {

using Kind = Activation::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 20> plain_names = {{
    {"identity", Kind::identity}, {"relu", Kind::relu},         {"abs", Kind::abs},
    {"step", Kind::step},         {"sign", Kind::sign},         {"square", Kind::square},
    {"relu_squared", Kind::relu_squared}, {"erf", Kind::erf},   {"erf_sigmoid", Kind::erf_sigmoid},
    {"sigmoid", Kind::sigmoid},   {"tanh", Kind::tanh},         {"hardtanh", Kind::hardtanh},
    {"gelu", Kind::gelu},         {"silu", Kind::silu},         {"softplus", Kind::softplus},
    {"elu", Kind::elu},           {"sin", Kind::sin},           {"cos", Kind::cos},
    {"exp", Kind::exp},           {"gaussian", Kind::gaussian},
}};

constexpr std::array<std::pair<std::string_view, Kind>, 3> families = {{
    {"leaky_relu_", Kind::leaky_relu},
    {"power_", Kind::power},
    {"rectified_power_", Kind::rectified_power},
}};

constexpr int largest_power = 20;

bool is_built_in(const std::string& name) {
  try {
    Activation::named(name);
  } catch (const ProgramError&) {
    return false;
  }
  return true;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

}  // namespace

Activation Activation::named(std::string_view name) {
  for (const auto& [text, kind] : plain_names) {
    if (text == name) return Activation(kind);
  }
  for (const auto& [prefix, kind] : families) {
    if (!name.starts_with(prefix)) continue;
    const std::optional<double> parameter = parse_number(name.substr(prefix.size()));
    if (!parameter) break;
    if (kind == Kind::leaky_relu) {
      if (*parameter == 0) return Activation(Kind::relu);
      if (*parameter == 1) return Activation(Kind::identity);
      if (*parameter == -1) return Activation(Kind::abs);
      return Activation(kind, *parameter);
    }
    if (*parameter != std::floor(*parameter) || *parameter < 1 || *parameter > largest_power) {
      throw ProgramError("activation \"" + std::string(name) + "\": the power must be an integer from 1 to " +
                         std::to_string(largest_power));
    }
    const bool rectified = kind == Kind::rectified_power;
    if (*parameter == 1) return Activation(rectified ? Kind::relu : Kind::identity);
    if (*parameter == 2) return Activation(rectified ? Kind::relu_squared : Kind::square);
    return Activation(kind, *parameter);
  }
  std::vector<std::string> candidates;
  for (const auto& [text, kind] : plain_names) candidates.emplace_back(text);
  candidates.insert(candidates.end(), {"leaky_relu_0.1", "power_3", "rectified_power_3"});
  throw ProgramError("unknown activation \"" + std::string(name) + "\"; did you mean \"" +
                     nearest(name, candidates) + "\"?");
}

Activation Activation::custom(std::string name, std::function<double(double)> function,
                              std::vector<double> kinks) {
  if (name.empty()) throw ProgramError("custom activation: it needs a name, by which programs compare it");
  if (is_built_in(name)) {
    throw ProgramError("custom activation \"" + name + "\": that name is a built-in one; choose another");
  }
  if (!function) throw ProgramError("custom activation \"" + name + "\": the function is empty; give one that can be called");
  for (const double kink : kinks) {
    if (!std::isfinite(kink)) {
      throw ProgramError("custom activation \"" + name + "\": kink " + shortest(kink) + " is not finite; kinks are finite points");
    }
  }
  std::sort(kinks.begin(), kinks.end());
  kinks.erase(std::unique(kinks.begin(), kinks.end()), kinks.end());
  Activation result(Kind::custom);
  result.custom_ = std::make_shared<const Custom>(Custom{std::move(name), std::move(function), std::move(kinks)});
  return result;
}

std::vector<std::string> Activation::names() {
  std::vector<std::string> result;
  for (const auto& [text, kind] : plain_names) result.emplace_back(text);
  result.insert(result.end(), {"leaky_relu_S", "power_P", "rectified_power_P"});
  return result;
}

std::string Activation::name() const {
  if (kind_ == Kind::custom) return custom_->name;
  for (const auto& [text, kind] : plain_names) {
    if (kind == kind_) return std::string(text);
  }
  for (const auto& [prefix, kind] : families) {
    if (kind == kind_) return std::string(prefix) + shortest(parameter_);
  }
  return {};
}

bool operator==(const Activation& left, const Activation& right) {
  if (left.kind_ != right.kind_) return false;
  if (left.kind_ == Activation::Kind::custom) return left.custom_->name == right.custom_->name;
  return left.parameter_ == right.parameter_;
}

}  // namespace nngpcheck::netsor
