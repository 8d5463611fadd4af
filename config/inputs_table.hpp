// Private to config/: the [inputs] table of an experiment.
#pragma once

#include <nlohmann/json.hpp>

#include "architectures/inputs.hpp"
#include "config/table_reader.hpp"

namespace nngpcheck::config {

/// The inputs that the table (see read_experiments) describes; `resolved` becomes the table with its defaults
/// filled in, and with the numbers of columns and dimensions. Throws ConfigError for whatever does not fit.
architectures::Inputs read_inputs_table(const TableReader& table, nlohmann::ordered_json& resolved);

}  // namespace nngpcheck::config
