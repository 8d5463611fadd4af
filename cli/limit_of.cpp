#include "cli/limit_of.hpp"

namespace nngpcheck::cli {

namespace {

// What `compute` gives; its errors name file and experiment.
template <class Compute>
auto named(const config::Experiment& experiment, const std::filesystem::path& file, const Compute& compute) {
  try {
    return compute();
  } catch (const analytic::LimitError& error) {
    throw analytic::LimitError(file.string() + ": " + experiment.name + ": " + error.what());
  }
}

}  // namespace

analytic::Limit limit_of(const config::Experiment& experiment, const std::filesystem::path& file,
                         const Progress& progress, int threads) {
  analytic::LimitOptions options;
  options.threads = threads;
  options.progress = progress.named(experiment.name);
  return named(experiment, file, [&] { return analytic::limit(experiment.program, options); });
}

analytic::FiniteWidthLaw law_of(const config::Experiment& experiment, const std::filesystem::path& file,
                                const Progress& progress, const analytic::LawOptions& given) {
  analytic::LawOptions options = given;
  options.progress = progress.named(experiment.name);
  return named(experiment, file, [&] { return analytic::finite_width_law(experiment.program, options); });
}

}  // namespace nngpcheck::cli
