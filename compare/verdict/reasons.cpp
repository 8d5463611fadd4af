#include "nngpcheck/compare/verdict/reasons.hpp"

#include <fmt/format.h>

#include <cmath>

namespace nngpcheck::compare {

std::string seconds_text(double seconds) {
  return seconds < 10 ? fmt::format("{:.2g} s", seconds) : fmt::format("{:.0f} s", std::ceil(seconds));
}

std::string bias_reason(const std::vector<std::int64_t>& widths, double p) {
  return fmt::format(
      "finite-width bias: networks of width {} and more do not follow K + B/n + C/n² (p = {:.1g})",
      widths.front(), p);
}

std::string heavy_tails_reason(const std::optional<Dispersion>& fluctuations,
                               const std::vector<std::int64_t>& widths) {
  if (!fluctuations) {
    return fmt::format(
        "heavy tails: some networks of widths {} to {} have exactly the same kernel and others do not, so "
        "that nothing is known of the variance",
        widths.front(), widths.back());
  }
  return fmt::format(
      "heavy tails: fluctuations of networks of widths {} to {} fall as width^{:.2f}, not width^-0.50, so "
      "that their variance may be infinite",
      widths.front(), widths.back(), fluctuations->slope);
}

std::string more_time_remedy(double seconds) {
  if (std::isinf(seconds)) return "a verdict needs more than ladders and widths allow; allow a larger error";
  return fmt::format("a verdict needs about {} more (--time, check.time)", seconds_text(seconds));
}

std::string undecided_reason(const std::string& when, const CheckResult& result,
                             const CheckOptions& options) {
  const char* key = options.tolerance ? "tolerance" : "resolution";
  std::string text =
      std::isinf(result.bound)
          ? fmt::format("undecided {}: no bound is known", when)
          : fmt::format("undecided {}: no entry is off by > {}, where {} was asked for", when,
                        percent_at_most(result.bound), percent_at_most(options.largest_bound()));
  if (result.needs) text += "; " + more_time_remedy(*result.needs);
  return text + fmt::format("; or allow a larger {0} (--{0}, check.{0})", key);
}

std::string forecast_text(const Forecast& forecast, const CheckOptions& options) {
  const std::string verdict =
      std::isinf(forecast.seconds)
          ? fmt::format("{} is more than ladders and widths allow", percent_at_most(options.largest_bound()))
          : "a verdict takes about " + seconds_text(forecast.seconds);
  return fmt::format("{}; {} resolve about {}", verdict, seconds_text(options.time),
                     percent_at_most(forecast.resolves));
}

std::string own_errors_caveat(const Target& target, std::int64_t repeats, const CheckOptions& options) {
  const double allowed = options.tolerance ? options.allowance() : options.resolution;
  Eigen::Index worst = 0;
  const double reach = target.dead_zone.cwiseQuotient(target.scale).maxCoeff(&worst) - options.allowance();
  if (reach < allowed) return "";
  std::string text = fmt::format("the kernel's own error bar reaches {} in entry {}", percent_at_most(reach),
                                 entry_name(target.position(worst), target.labels));
  if (target.standard_error(worst) > 0) {
    const double z = (target.dead_zone(worst) - target.error_bound(worst)) / target.standard_error(worst);
    text += fmt::format(" (at α = {:g} a standard error{} counts {:.3g} times)", options.false_alarm,
                        repeats > 0 ? fmt::format(" from {} repeats", repeats) : "", z);
  }
  return text +
         (options.tolerance
              ? fmt::format(
                    ", half the tolerance of {} or more: nothing can be decided; give a kernel with smaller "
                    "errors, or allow a larger tolerance",
                    percent_at_most(*options.tolerance))
              : ": no smaller error of it can be shown");
}

}  // namespace nngpcheck::compare
