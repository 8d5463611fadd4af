// Private to config/: settings given on the command line.
#pragma once

#include <toml++/toml.h>

#include <string>
#include <vector>

namespace nngpcheck::config {

/// Puts each assignment (see read_experiments) into the experiments' tables. Throws InputError for one that
/// is none, or that names neither a key of an experiment nor an experiment.
void apply_overrides(const std::vector<toml::table*>& experiments,
                     const std::vector<std::string>& assignments);

}  // namespace nngpcheck::config
