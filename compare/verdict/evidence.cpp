#include "nngpcheck/compare/verdict/evidence.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "nngpcheck/compare/verdict/check_input.hpp"

namespace nngpcheck::compare {

namespace {

using nlohmann::ordered_json;

/// 1e-3, 2.5e-7.
std::string short_number(double value) {
  const std::string text = fmt::format("{:.1e}", value);
  const std::size_t e = text.find('e');
  std::string mantissa = text.substr(0, e);
  if (mantissa.ends_with(".0")) mantissa.resize(mantissa.size() - 2);
  return fmt::format("{}e{}", mantissa, std::stoi(text.substr(e + 1)));
}

std::string p_text(double p) { return p < 1e-9 ? "p < 1e-9" : "p = " + short_number(p); }

/// With the decimals that show the standard error and a hundredth of the difference.
std::string entry_text(const CheckResult& result) {
  const EntryEvidence& worst = result.worst;
  const std::string name = entry_name(worst.position, result.labels);
  const double shown = std::max(worst.standard_error, std::abs(worst.estimated - worst.given) / 100);
  if (shown < 1e-14) {  // a kernel of tiny entries
    return fmt::format("worst entry {}: {:.9g} given, {:.9g} ± {:.2g} estimated", name, worst.given,
                       worst.estimated, worst.standard_error);
  }
  const int digits = static_cast<int>(std::max(std::ceil(-std::log10(shown)), 0.));
  const bool visible = worst.standard_error >= 0.5 * std::pow(10, -digits);
  return fmt::format("worst entry {}: {:.{}f} given, {:.{}f}{} estimated", name, worst.given, digits,
                     worst.estimated, digits,
                     visible ? fmt::format(" ± {:.{}f}", worst.standard_error, digits) : "");
}

std::string networks_text(const CheckResult& result) {
  if (result.rounds.empty()) return "";
  const CheckRound& last = result.rounds.back();
  return fmt::format("; {} ladders, n = {}…{}", last.ladders, last.widths.front(), last.widths.back());
}

std::string scope_suffix(const CheckResult& result) {
  const std::string scope = scope_text(result);
  return scope.empty() ? "" : "; looked at " + scope;
}

std::string agreement_text(const CheckResult& result) {
  const std::string contract =
      result.tolerance ? fmt::format("within the tolerance of {}: ", percent_at_most(*result.tolerance)) : "";
  const std::string caveat = result.caveat.empty() ? "" : "; but " + result.caveat;
  return fmt::format("{}no entry off by > {} of √(K_aa K_bb) (miss ≤ {}, false alarm ≤ {})", contract,
                     percent_at_most(result.bound), short_number(result.miss),
                     short_number(result.false_alarm)) +
         networks_text(result) + caveat;
}

std::string disagreement_text(const CheckResult& result) {
  const std::string contract =
      result.tolerance ? fmt::format("beyond half the tolerance of {}: ", percent_at_most(*result.tolerance))
                       : "";
  std::string what;
  if (result.diagnosis) what += result.diagnosis->text + "; ";
  if (!result.mistakes.empty())
    what += fmt::format("it is the kernel of: {}; ", fmt::join(result.mistakes, ", or "));
  return fmt::format("{}{}, confirmed on fresh networks; {}{}", contract, p_text(result.p_value.value_or(1)),
                     what, entry_text(result));
}

ordered_json number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? ordered_json(*value) : ordered_json();
}

ordered_json to_json(const EntryEvidence& entry, const std::vector<std::string>& labels) {
  ordered_json names;
  if (!labels.empty()) {
    names = {labels[static_cast<std::size_t>(entry.position.row)],
             labels[static_cast<std::size_t>(entry.position.column)]};
  }
  return {{"row", entry.position.row},    {"column", entry.position.column},
          {"labels", std::move(names)},   {"given", entry.given},
          {"estimated", entry.estimated}, {"standard_error", entry.standard_error}};
}

ordered_json to_json(const std::optional<Rate>& rate) {
  if (!rate) return {};
  return {{"slope", rate->slope},
          {"interval", {rate->interval.lower, rate->interval.upper}},
          {"confidence", confidence},
          {"note",
           "slope of log relative squared error on log width; a slope near -1 is no evidence that the kernel "
           "is right, because a small error hides below the fluctuations"}};
}

ordered_json to_json(const std::optional<Forecast>& forecast) {
  if (!forecast) return {};
  return {{"seconds", number(forecast->seconds)}, {"resolves", number(forecast->resolves)}};
}

ordered_json to_json(const CheckRound& round) {
  return {{"widths", round.widths},
          {"ladders", round.ladders},
          {"first_network", round.first_network},
          {"dispersion_slope", round.fluctuations ? number(round.fluctuations->slope) : ordered_json()},
          {"p_model", number(round.p_model)},
          {"p_entry", number(round.p_entry)},
          {"p_total", number(round.p_total)},
          {"confirmed_p_entry", number(round.confirmed_p_entry)},
          {"confirmed_p_projection", number(round.confirmed_p_projection)},
          {"bound", number(round.bound)}};
}

}  // namespace

std::string to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::agree:
      return "agree";
    case Verdict::disagree:
      return "disagree";
    default:
      return "inconclusive";
  }
}

std::string finding_text(const CheckResult& result) {
  const std::string finding = result.verdict == Verdict::agree      ? agreement_text(result)
                              : result.verdict == Verdict::disagree ? disagreement_text(result)
                                                                    : result.reason + networks_text(result);
  return finding + scope_suffix(result);
}

std::string scope_text(const CheckResult& result) {
  const Eigen::Index seen = std::ssize(result.inputs);
  if (seen == 0 || seen == result.all_inputs) return "";
  return fmt::format(
      "{} of {} inputs, at random: a share f of wrong ones is missed with probability at most (1 - f)^{}",
      seen, result.all_inputs, seen);
}

std::string verdict_text(const std::string& name, const CheckResult& result) {
  const std::string seconds = result.seconds ? fmt::format("; {:.1f} s", *result.seconds) : "";
  return fmt::format("{:<9} {}: {}{}", to_string(result.verdict), name, finding_text(result), seconds);
}

ordered_json to_json(const CheckResult& result) {
  ordered_json rounds = ordered_json::array();
  for (const CheckRound& round : result.rounds) rounds.push_back(to_json(round));
  return {{"verdict", to_string(result.verdict)},
          {"contract", result.tolerance ? "tolerance" : "exact"},
          {"reason", result.reason},
          {"caveat", result.caveat},
          {"bound", number(result.bound)},
          {"resolution", result.resolution},
          {"tolerance", number(result.tolerance)},
          {"false_alarm", result.false_alarm},
          {"miss", result.miss},
          {"p_value", number(result.p_value)},
          {"worst_entry", to_json(result.worst, result.labels)},
          {"diagnosis", to_json(result.diagnosis)},
          {"mistakes", result.mistakes},
          {"detectable_error", number(result.detectable)},
          {"scope",
           {{"inputs", result.all_inputs},
            {"looked_at", std::ssize(result.inputs)},
            {"statement", scope_text(result)}}},
          {"rate", to_json(result.rate)},
          {"rounds", std::move(rounds)},
          {"foreseen", to_json(result.foreseen)},
          {"forecast", to_json(result.forecast)},
          {"needs_seconds", number(result.needs)},
          {"seconds", number(result.seconds)}};
}

}  // namespace nngpcheck::compare
