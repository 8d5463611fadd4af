#include "cli/limit_of.hpp"

namespace nngpcheck::cli {

analytic::Limit limit_of(const config::Experiment& experiment, const std::filesystem::path& file,
                         const Progress& progress, int threads) {
  analytic::LimitOptions options;
  options.threads = threads;
  options.progress = progress.named(experiment.name);
  try {
    return analytic::limit(experiment.program, options);
  } catch (const analytic::LimitError& error) {
    throw analytic::LimitError(file.string() + ": " + experiment.name + ": " + error.what());
  }
}

}  // namespace nngpcheck::cli
