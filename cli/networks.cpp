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

}  // namespace nngpcheck::cli
