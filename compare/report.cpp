#include "compare/report.hpp"

#include <fmt/format.h>

namespace nngpcheck::compare {

namespace {

constexpr const char* introduction = R"(# Random networks against their analytic kernel

K is the analytic kernel of the infinitely wide network, K_n the kernel of one random network of width n. The
relative squared error is ‖K_n − K‖²_F / ‖K‖²_F, one number per network (`samples.csv`). The table shows its mean
over the networks of a width; the intervals are Student's, {:.0f} %, over networks. The slope is that of log error
on log width, fitted to each ladder (network i at every width) by least squares; the interval is over ladders.
)";

const std::string caution = R"(
## What the slope shows, and what it does not

If K is right, the error of a network is due to its finite width alone and falls in proportion to 1/n: the slope is
−1, apart from corrections at small widths. **A slope near −1 is not evidence that K is right.** An error in K adds
its own square to the relative squared error, which stays invisible while it is below the fluctuations of the widest
networks: a kernel that is wrong by 1 % adds only 0.0001.
)";

std::string section(const ExperimentSummary& experiment, const std::string& correlations) {
  std::string result = fmt::format("\n## {}\n\n{}; −1 expected.\n", experiment.name, rate_text(experiment));
  result += fmt::format("Analytic kernel: {}; its own error bar, in the same measure, is {:.1e}.\n\n",
                        experiment.kernel_method, experiment.kernel_relative_squared_error_bar);
  result +=
      fmt::format("| width | networks | mean relative squared error | {:.0f} % interval | mean × width |\n",
                  100 * confidence);
  result += "|---:|---:|---:|:---:|---:|\n";
  for (const WidthSummary& width : experiment.widths) {
    result += fmt::format("| {} | {} | {:.4e} | {:.4e} to {:.4e} | {:.2f} |\n", width.width, width.networks,
                          width.mean_relative_squared_error, width.interval.lower, width.interval.upper,
                          width.mean_relative_squared_error * static_cast<double>(width.width));
  }
  if (!correlations.empty())
    result += fmt::format("\n![Correlations K_ij/√(K_ii K_jj) of the analytic kernel]({})\n", correlations);
  return result;
}

}  // namespace

std::string report(const Summary& summary, const Pictures& pictures) {
  std::string result = fmt::format(introduction, 100 * confidence);
  if (!pictures.width_error.empty())
    result += fmt::format("\n![Mean relative squared error against width]({})\n", pictures.width_error);
  for (std::size_t e = 0; e < summary.experiments.size(); ++e) {
    result += section(summary.experiments[e], pictures.correlations.empty() ? "" : pictures.correlations[e]);
  }
  return result + caution;
}

}  // namespace nngpcheck::compare
