// Options of commands that draw random networks.
#pragma once

#include <string>

#include "config/experiment.hpp"
#include "empirical/sampler.hpp"

namespace nngpcheck::cli {

/// "exact" and "dense", or else automatic.
empirical::Products products(const std::string& sampler);

empirical::Precision precision(config::Precision precision);

}  // namespace nngpcheck::cli
