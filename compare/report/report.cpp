#include "nngpcheck/compare/report/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/report/gnuplot.hpp"
#include "nngpcheck/compare/report/heat_map.hpp"
#include "nngpcheck/compare/report/page.hpp"
#include "nngpcheck/compare/report/plot.hpp"
#include "nngpcheck/compare/report/text.hpp"
#include "nngpcheck/compare/statistics/standard_errors_off.hpp"
#include "nngpcheck/compare/verdict/evidence.hpp"
#include "nngpcheck/files/atomic_file.hpp"
#include "nngpcheck/files/text_file.hpp"

namespace nngpcheck::compare {

namespace {

namespace fs = std::filesystem;

const std::string question =
    "K is the analytic kernel of the infinitely wide network, Kₙ the kernel of one random network of width "
    "n. Does "
    "Kₙ approach K as n grows, with a squared error that falls in proportion to 1/n?";

const Paragraph caution = {"A slope near −1 is not evidence that K is right.",
                           "If K is right, the error of a network is due to its finite width alone: the "
                           "slope is −1, apart from corrections "
                           "at small widths. An error in K adds its own square to the relative squared "
                           "error, which stays invisible while it "
                           "is below the fluctuations of the widest networks: a kernel that is wrong by 1 % "
                           "adds only 0.0001. Whether K is "
                           "right is what nngpcheck check decides."};

constexpr std::size_t most_lines = 150;  // of a listing

/// Draws pictures into a folder, and remembers the first reason why one could not be drawn.
class Artist {
 public:
  explicit Artist(const fs::path& folder) : folder_(folder) {}

  /// Adds a picture that `draw_as` draws under the name that it is given.
  template <class Draw>
  void add(Pictures& pictures, Picture picture, Draw&& draw_as) {
    try {
      draw_as(folder_ / picture.file);
    } catch (const Error& error) {
      if (warning_.empty()) warning_ = std::string("no plots: ") + error.what();
      return;
    }
    picture.svg = files::read_file(folder_ / (picture.file + ".svg"));
    pictures.pictures.push_back(std::move(picture));
  }

  const std::string& warning() const { return warning_; }

 private:
  fs::path folder_;
  std::string warning_;
};

bool any_predicted(const std::vector<ExperimentReport>& experiments) {
  return std::any_of(experiments.begin(), experiments.end(), [](const ExperimentReport& experiment) {
    return experiment.summary.prediction() != nullptr;
  });
}

bool all_hold(const Prediction& prediction) {
  return std::all_of(prediction.widths.begin(), prediction.widths.end(),
                     [](const PredictedWidth& width) { return width.holds; });
}

std::string percent() { return fmt::format("{:.0f} %", 100 * confidence); }

std::string prediction_caption() {
  return fmt::format(
      " Dashed lines and their bands: what the finite-width law predicts, C/n, and where the mean over so "
      "many "
      "networks then is with {}; nothing in them is fitted. A band begins where the first order in 1/n is "
      "about enough.",
      percent());
}

/// The page, block by block; empty ones are left out.
class Composer {
 public:
  explicit Composer(const fs::path& folder) : artist_(folder) {}

  void add_question(const std::vector<ExperimentReport>& experiments);
  void add_experiment(const ExperimentReport& experiment);
  void add_repetition(const Report& report);

  const Page& page() const { return page_; }
  const std::string& warning() const { return artist_.warning(); }

 private:
  void add_widths(const ExperimentSummary& summary);
  void add_prediction(const ExperimentSummary& summary);
  void add_kernels(const ExperimentReport& experiment);
  void add_gaussianity(const ExperimentSummary& summary);
  void add_listing(const std::string& title, const std::string& text, const std::string& command);
  void add_pictures(Pictures pictures) {
    if (!pictures.pictures.empty()) page_.blocks.push_back(std::move(pictures));
  }

  Artist artist_;
  Page page_;
};

void Composer::add_question(const std::vector<ExperimentReport>& experiments) {
  std::vector<Curve> curves;
  Results results;
  for (const ExperimentReport& experiment : experiments) {
    const ExperimentSummary& summary = experiment.summary;
    curves.push_back({summary.name, summary});
    const auto& verdict = experiment.verdict;
    results.lines.push_back({summary.name, verdict ? verdict->verdict : "",
                             (verdict ? verdict->finding + "; " : "") + rate_text(summary) +
                                 (summary.predicted ? "; " + prediction_text(summary) : "")});
    page_.window_title += summary.name + " · ";
  }
  page_.window_title += "nngpcheck";
  page_.title = "Random networks against their analytic kernel";
  page_.blocks.insert(page_.blocks.end(), {Paragraph{"", question}, std::move(results), caution});
  Pictures pictures;
  artist_.add(
      pictures,
      {.file = "width_error",
       .description = "Mean relative squared error against width, both on logarithmic axes",
       .caption = fmt::format(
           "Points: the mean of ‖Kₙ − K‖² / ‖K‖² (Frobenius) over the networks of a width, with its {0} "
           "interval (Student's). Solid lines: the fitted slope, of log error on log width by least squares "
           "for "
           "each ladder (network i at every width), averaged over ladders.{1}",
           percent(), any_predicted(experiments) ? prediction_caption() : "")},
      [&](const fs::path& base) { plot(curves, base); });
  add_pictures(std::move(pictures));
}

void Composer::add_experiment(const ExperimentReport& experiment) {
  const ExperimentSummary& summary = experiment.summary;
  page_.blocks.push_back(Heading{summary.name});
  page_.blocks.push_back(Paragraph{
      "",
      fmt::format("Analytic kernel: {}; its own error bar, in the measure of the networks' errors, is {}.",
                  summary.kernel_method, scientific(summary.kernel_relative_squared_error_bar))});
  add_widths(summary);
  add_prediction(summary);
  add_kernels(experiment);
  add_gaussianity(experiment.summary);
  add_listing("How the limit is computed", experiment.plan, "nngpcheck show --plan");
  add_listing("The program", experiment.program, "nngpcheck show");
  if (!experiment.description.is_null())
    page_.blocks.push_back(Listing{"Every setting", experiment.description.dump(2)});
}

void Composer::add_widths(const ExperimentSummary& summary) {
  Table table{"Relative squared error by width",
              {"width", "networks", "mean", percent() + " interval", "mean × width"},
              {}};
  for (const WidthSummary& width : summary.widths) {
    const double mean = width.mean_relative_squared_error;
    // The mean of positive numbers; Student's interval does not know that.
    const std::string lower = width.interval.lower < 0 ? "0" : scientific(width.interval.lower);
    table.rows.push_back({std::to_string(width.width), std::to_string(width.networks), scientific(mean),
                          lower + " to " + scientific(width.interval.upper),
                          number(mean * static_cast<double>(width.width), 2)});
  }
  page_.blocks.push_back(std::move(table));
}

void Composer::add_prediction(const ExperimentSummary& summary) {
  if (!summary.predicted) return;
  const Prediction& predicted = *summary.predicted;
  if (!predicted.none.empty()) {
    page_.blocks.push_back(
        Paragraph{"", "The finite-width law predicts nothing here: " + predicted.none + "."});
    return;
  }
  Table table{"What the finite-width law predicts, without a free parameter",
              {"width", "predicted mean", percent() + " band", "measured/predicted", percent() + " interval"},
              {}};
  for (std::size_t w = 0; w < predicted.widths.size(); ++w) {
    const PredictedWidth& width = predicted.widths[w];
    const Ratio ratio = measured_over_predicted(summary, w);
    table.rows.push_back({std::to_string(width.width) + (width.holds ? "" : " *"), scientific(width.mean),
                          scientific(width.band.lower) + " to " + scientific(width.band.upper),
                          number(ratio.value, 3),
                          number(ratio.interval.lower, 3) + " to " + number(ratio.interval.upper, 3)});
  }
  page_.blocks.push_back(std::move(table));
  page_.blocks.push_back(Paragraph{
      "", fmt::format(
              "n E‖Kₙ − K‖² / ‖K‖² → {} ± {} ({}). Overall: {}. This is a second test of theory, limit and "
              "networks, and a sharper one than the slope.{}",
              number(predicted.relative_c, 3), number(predicted.relative_c_standard_error, 3),
              predicted.method, prediction_text(summary),
              all_hold(predicted) ? ""
                                  : " At widths with * the next order in 1/n is likely to be larger than "
                                    "what the band hides; they do not count.")});
}

/// "up to 3.1 standard errors, at (the, dog)".
std::string worst_entry(const Eigen::MatrixXd& off, const std::vector<std::string>& labels) {
  double worst = 0;
  std::size_t row = 0, column = 0;
  for (Eigen::Index i = 0; i < off.rows(); ++i) {
    for (Eigen::Index j = i; j < off.cols(); ++j) {
      if (!(std::abs(off(i, j)) > worst)) continue;
      worst = std::abs(off(i, j));
      row = static_cast<std::size_t>(i);
      column = static_cast<std::size_t>(j);
    }
  }
  if (worst == 0) return "by no more than its error bound and rounding";
  if (std::isinf(worst)) {
    return fmt::format(
        "by more than its error bound and rounding at ({}, {}), where networks do not fluctuate", labels[row],
        labels[column]);
  }
  return fmt::format("by up to {} standard errors beyond its error bound and rounding, at ({}, {})",
                     number(worst, 1), labels[row], labels[column]);
}

void Composer::add_kernels(const ExperimentReport& experiment) {
  const std::string& name = experiment.summary.name;
  const kernels::Kernel& kernel = experiment.kernel;
  std::vector<Eigen::MatrixXd> correlations = {correlation(kernel.value)};
  if (experiment.widest) correlations.push_back(correlation(experiment.widest->value));
  const Colours colours = correlation_colours(correlations);
  const Eigen::Index stride = heat_map_stride(kernel.value.rows());
  const std::string part =
      stride > 1 ? fmt::format(" (rows and columns 0, {0}, {1}, …)", stride, 2 * stride) : "";
  Pictures pictures;
  const auto add = [&](const std::string& kind, const std::string& caption, const Eigen::MatrixXd& values,
                       const Colours& map) {
    artist_.add(pictures,
                {.file = kind + "_" + name, .description = name + ", " + caption, .caption = caption + part},
                [&](const fs::path& base) { plot_heat_map(values, map, kernel.labels, base); });
  };
  add("correlation", "K, as correlations", correlations[0], colours);
  if (!experiment.widest) return add_pictures(std::move(pictures));
  const kernels::Kernel& widest = *experiment.widest;
  const std::int64_t width = experiment.summary.widths.back().width;
  add("empirical", fmt::format("mean Kₙ of {} networks, n = {}", widest.repeats, width), correlations[1],
      colours);
  const Eigen::MatrixXd off = standard_errors_off(widest, kernel, experiment.precision);
  const Eigen::MatrixXd shown = off.array().isFinite().select(off, std::numeric_limits<double>::quiet_NaN());
  add("difference", "mean Kₙ − K in standard errors", shown, standard_error_colours(shown));
  add_pictures(std::move(pictures));
  page_.blocks.push_back(Paragraph{
      "",
      fmt::format("At width {} the mean kernel differs from K {}. Among {} entries a few standard errors are "
                  "chance, and a bias of order 1/n, which enough networks make visible, is no mistake in K.",
                  width, worst_entry(off, kernel.labels), off.rows() * (off.rows() + 1) / 2)});
}

void Composer::add_gaussianity(const ExperimentSummary& summary) {
  if (!summary.gaussianity) return;
  const Gaussianity& found = *summary.gaussianity;
  const Prediction* predicted = summary.prediction();
  Table table{
      fmt::format("Excess kurtosis of the outputs for the inputs {}; 0 if Gaussian, expected to fall as 1/n",
                  fmt::join(summary.watched, ", ")),
      {"width", "networks", "single outputs", percent() + " interval", "jointly", percent() + " interval"},
      {}};
  if (predicted) table.header.insert(table.header.end(), {"predicted, single", "predicted, jointly"});
  const auto interval = [](const ExcessKurtosis& kurtosis) {
    return scientific(kurtosis.interval.lower) + " to " + scientific(kurtosis.interval.upper);
  };
  for (const GaussianityAtWidth& row : found.widths) {
    table.rows.push_back({std::to_string(row.width), std::to_string(row.networks),
                          scientific(row.marginal.value), interval(row.marginal), scientific(row.joint.value),
                          interval(row.joint)});
    if (!predicted) continue;
    const auto n = static_cast<double>(row.width);
    table.rows.back().push_back(scientific(predicted->marginal_excess_kurtosis / n));
    table.rows.back().push_back(scientific(predicted->joint_excess_kurtosis / n));
  }
  page_.blocks.push_back(std::move(table));
  page_.blocks.push_back(Paragraph{"", gaussianity_text(found) + "."});
}

/// The first lines of a text; the command prints the others.
void Composer::add_listing(const std::string& title, const std::string& text, const std::string& command) {
  if (text.empty()) return;
  std::size_t end = 0, lines = 0;
  while (lines < most_lines && end < text.size()) {
    end = std::min(text.find('\n', end), text.size() - 1) + 1;
    ++lines;
  }
  std::string shown = text.substr(0, end);
  if (end < text.size()) {
    shown +=
        fmt::format("… and {} lines more; {} prints all\n",
                    std::count(text.begin() + static_cast<std::ptrdiff_t>(end), text.end(), '\n'), command);
  }
  page_.blocks.push_back(Listing{title, std::move(shown)});
}

std::string scalar_text(const nlohmann::ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void Composer::add_repetition(const Report& report) {
  page_.blocks.push_back(Heading{"Repeat this"});
  page_.blocks.push_back(
      Paragraph{"", "The networks are a function of the seed: the same command draws them again."});
  Table table{"Made with", {"what", "which"}, {}};
  for (const auto& [key, value] : report.provenance.items()) {
    if (key == "command") {
      page_.blocks.push_back(Listing{"", scalar_text(value)});
    } else if (value.is_object()) {
      for (const auto& [name, part] : value.items()) table.rows.push_back({name, scalar_text(part)});
    } else {
      table.rows.push_back({key, scalar_text(value)});
    }
  }
  const nlohmann::ordered_json::json_pointer seed("/sweep/seed");
  for (const ExperimentReport& experiment : report.experiments) {
    if (experiment.description.contains(seed))
      table.rows.push_back({"seed of " + experiment.summary.name, scalar_text(experiment.description[seed])});
  }
  page_.blocks.push_back(std::move(table));
}

}  // namespace

std::string write_report(const Report& report, const fs::path& folder) {
  Composer composer(folder);
  composer.add_question(report.experiments);
  for (const ExperimentReport& experiment : report.experiments) composer.add_experiment(experiment);
  files::write_file(folder / "report.md", markdown(composer.page()));
  composer.add_repetition(report);
  files::write_file(folder / "report.html", html(composer.page()));
  return composer.warning();
}

}  // namespace nngpcheck::compare
