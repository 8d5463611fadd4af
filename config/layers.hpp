// Private to config/: networks as lists of layers, in TOML.
#pragma once

#include <nlohmann/json.hpp>

#include "nngpcheck/architectures/network.hpp"
#include "nngpcheck/config/table_reader.hpp"

namespace nngpcheck::config {

/// An option of an architecture or a layer as given; `resolved` gets it as JSON. Throws InputError for a
/// TOML value of another type.
architectures::Value read_value(const TableReader& table, const architectures::OptionInfo& option,
                                const toml::node& node, nlohmann::ordered_json& resolved);

/// The options in a table that has no other keys than these and `other`; `resolved` gets all of them,
/// defaults filled in.
architectures::Settings read_settings(const TableReader& table,
                                      const std::vector<architectures::OptionInfo>& options,
                                      std::vector<std::string> other, nlohmann::ordered_json& resolved);

/// The key's list of layers, see read_experiments.
architectures::Layers read_layers(const TableReader& table, const std::string& key,
                                  nlohmann::ordered_json& resolved);

}  // namespace nngpcheck::config
