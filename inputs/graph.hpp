#pragma once

#include <filesystem>
#include <vector>

#include "nngpcheck/inputs/inputs.hpp"

namespace nngpcheck::inputs {

enum class EdgeKind { undirected, directed };

/// The edges in a CSV file with the header source,target or source,target,weight, one per row, between nodes
/// 0, …, nodes - 1; weights are finite, 1 without that column. Directed edges are listed as
/// they stand; an undirected one in both directions, one after the other, or once from a node to itself, also
/// where the file has both directions of it, with one weight. Throws InputError for anything else, and for
/// an edge that is there twice.
std::vector<Edge> read_edges(const std::filesystem::path& file, Eigen::Index nodes, EdgeKind kind);

/// The same of a list in memory, whose rows are counted from 0.
std::vector<Edge> listed_edges(const std::vector<Edge>& list, Eigen::Index nodes, EdgeKind kind);

}  // namespace nngpcheck::inputs
