#include "cli/networks.hpp"

namespace nngpcheck::cli {

empirical::Products products(const std::string& sampler) {
  if (sampler == "exact") return empirical::Products::exact;
  return sampler == "dense" ? empirical::Products::dense : empirical::Products::automatic;
}

empirical::Precision precision(config::Precision precision) {
  return precision == config::Precision::float32 ? empirical::Precision::float32
                                                 : empirical::Precision::float64;
}

compare::ProgramCheckOptions check_settings(const config::Check& check, const std::string& sampler,
                                            int threads, std::size_t memory) {
  compare::ProgramCheckOptions result;
  if (!check.widths.empty()) result.check.widths = check.widths;
  result.check.ladders = check.ladders.value_or(result.check.ladders);
  result.check.resolution = check.resolution.value_or(result.check.resolution);
  result.check.tolerance = check.tolerance;
  result.check.time = check.time.value_or(result.check.time);
  result.check.inputs = check.inputs;
  result.check.false_alarm = check.false_alarm.value_or(result.check.false_alarm);
  result.seed = check.seed;
  result.sampler.products = products(sampler);
  result.sampler.precision = precision(check.precision);
  result.sampler.threads = threads;
  result.sampler.memory_budget = memory;
  return result;
}

}  // namespace nngpcheck::cli
