// What a run found, as a page for people.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/compare/report/summary.hpp"
#include "nngpcheck/compare/verdict/check.hpp"
#include "nngpcheck/kernels/kernel.hpp"

namespace nngpcheck::compare {

/// What a check said.
struct ReportedVerdict {
  std::string verdict;  // see to_string
  std::string finding;  // see finding_text
};

/// What is known of one experiment; what is missing is left out of the report.
struct ExperimentReport {
  ExperimentSummary summary;
  nlohmann::ordered_json description;  // as resolved
  kernels::Kernel kernel;
  Precision precision = Precision::float64;    // of the networks
  std::optional<kernels::Kernel> widest = {};  // the mean of the networks of the widest width
  std::optional<ReportedVerdict> verdict = {};
  std::string plan = {};  // how the limit is computed
  std::string program = {};
};

struct Report {
  std::vector<ExperimentReport> experiments;
  /// How to repeat it: "command", if it is known, and whatever else there is (versions, machine, …).
  nlohmann::ordered_json provenance;
};

/// Writes, into `folder`:
///   report.html   the page, with its pictures inside: one file, no script, nothing fetched from elsewhere
///   report.md     its text, tables and pictures (the PNG files) for GitHub, without the plan, the program,
///   the
///                 settings and the provenance: the same numbers give the same bytes, whenever and wherever
///   width_error   .svg and .png (see plot), and per experiment, as .svg and .png (see plot_heat_map),
///   correlation_NAME, empirical_NAME   the correlations of K and of the widest networks' mean kernel
///   difference_NAME                    standard_errors_off; grey where K's error bar is 0 and it is beyond
/// Without gnuplot, the pages come without pictures. Returns "", or why some picture is missing. Throws
/// CompareError if a page cannot be written. Precondition: an experiment's name is part of a file name.
std::string write_report(const Report& report, const std::filesystem::path& folder);

}  // namespace nngpcheck::compare
