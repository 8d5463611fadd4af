// Options of commands that draw random networks.
#pragma once

#include <string>

#include "nngpcheck/compare/program_check.hpp"
#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/empirical/sampler.hpp"

namespace nngpcheck::cli {

/// "exact" and "dense", or else automatic.
empirical::Products products(const std::string& sampler);

empirical::Precision precision(config::Precision precision);

/// How an experiment asks to be checked. Networks are drawn as told.
compare::ProgramCheckOptions check_settings(const config::Check& check, const std::string& sampler,
                                            int threads, std::size_t memory);

}  // namespace nngpcheck::cli
