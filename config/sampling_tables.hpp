// Private to config/: the keys that all experiments have, whatever their network is.
#pragma once

#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/config/table_reader.hpp"

namespace nngpcheck::config {

inline const std::string widths_example = "widths = [64, 128, 256]";

/// The table [sweep], with what was read and every default in `resolved`.
Sweep read_sweep(const TableReader& table, const netsor::Program& program, nlohmann::ordered_json& resolved);

/// The table [check].
Check read_check(const TableReader& table, const netsor::Program& program);

/// Throws InputError for a name that cannot stand in file names, in tables and in --set.
void check_name(const TableReader& table, const std::string& name);

}  // namespace nngpcheck::config
