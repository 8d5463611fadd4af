#include "nngpcheck/compare/report/evidence_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "nngpcheck/compare/verdict/check_input.hpp"
#include "nngpcheck/compare/verdict/evidence.hpp"

namespace nngpcheck::compare {

namespace {

/// Significant digits that show a standard error, or a difference, of size `shown` in a number near `value`.
int digits(double value, double shown) {
  if (!(shown > 0) || value == 0) return 8;
  return std::clamp(static_cast<int>(std::ceil(std::log10(std::abs(value) / shown))) + 2, 2, 15);
}

std::string difference_text(const CheckResult& result) {
  const EntryEvidence& worst = result.worst;
  const double difference = worst.given - worst.estimated;
  std::string text = fmt::format("{:.3g}", difference);
  if (worst.scale > 0)
    text += fmt::format(", {:.2g} % of √(K_aa K_bb)", 100 * std::abs(difference) / worst.scale);
  return text;
}

std::string networks_text(const CheckResult& result) {
  const CheckRound& last = result.rounds.back();
  // A confirmation is drawn behind the networks that called for it.
  const bool confirmed = result.verdict == Verdict::disagree;
  const std::uint64_t count = static_cast<std::uint64_t>(last.ladders);
  const std::uint64_t first = last.first_network + (confirmed ? count : 0);
  return fmt::format("{} ladders of widths {}; round {}, numbers {} to {}", last.ladders,
                     fmt::join(last.widths, ", "), result.rounds.size(), first, first + count - 1);
}

}  // namespace

std::string evidence_table(const CheckResult& result) {
  std::string table;
  const auto line = [&](std::string_view name, std::string_view value) {
    table += fmt::format("  {:<16}  {}\n", name, value);
  };
  if (!result.reason.empty()) line("reason", result.reason);
  if (result.rounds.empty()) return table;
  const EntryEvidence& worst = result.worst;
  const int shown = digits(worst.given, std::max(worst.standard_error, 1e-12 * std::abs(worst.given)));
  line("worst entry", entry_name(worst.position, result.labels));
  line("given", fmt::format("{:.{}g}", worst.given, shown));
  line("estimated", fmt::format("{:.{}g} ± {:.2g}", worst.estimated, shown, worst.standard_error));
  line("difference", difference_text(result));
  line("networks", networks_text(result));
  if (const std::string scope = scope_text(result); !scope.empty()) line("inputs", scope);
  if (std::isfinite(result.detectable)) line("detectable error", percent_at_most(result.detectable));
  if (const auto& fluctuations = result.rounds.back().fluctuations) {
    line("fluctuations", fmt::format("fall as width^{:.2f}", fluctuations->slope));
  }
  if (result.rate) {
    line("squared error",
         fmt::format("falls as width^{:.2f} ({:.0f} %: {:.2f} to {:.2f})", result.rate->slope,
                     100 * confidence, result.rate->interval.lower, result.rate->interval.upper));
  }
  return table;
}

}  // namespace nngpcheck::compare
