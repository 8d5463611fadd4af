#include "nngpcheck/inputs/graph.hpp"

#include <cmath>
#include <map>
#include <string>

#include "nngpcheck/files/csv.hpp"
#include "nngpcheck/files/number.hpp"
#include "nngpcheck/files/text_file.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::inputs {

namespace {

using Eigen::Index;

std::vector<files::CsvRecord> read_records(const std::filesystem::path& file) {
  const std::string text = files::read_text(file);
  return files::parse_csv(text, file.string(), files::guess_separator(text));
}

/// Edges as they are listed, one after the other.
class EdgeList {
 public:
  /// `where`: what stands before the number of an edge in messages, "on line ".
  EdgeList(Index nodes, EdgeKind kind, std::string where)
      : nodes_(nodes), kind_(kind), where_(std::move(where)) {}

  /// Throws InputError, without a place.
  void add(const Edge& edge, Index number) {
    check_node("source", edge.source);
    check_node("target", edge.target);
    const auto [there, is_new] =
        places_.emplace(std::pair(edge.source, edge.target), Place{number, edge.weight});
    if (!is_new)
      fail(called(edge) + " stands " + where_ + std::to_string(there->second.number) +
           " already; remove one");
    if (is_other_direction(edge)) return;
    edges_.push_back(edge);
    if (kind_ == EdgeKind::undirected && edge.source != edge.target)
      edges_.push_back({edge.target, edge.source, edge.weight});
  }

  std::vector<Edge> edges() && { return std::move(edges_); }

 private:
  void check_node(const char* end, Index node) const {
    if (node < 0 || node >= nodes_) {
      fail(std::string(end) + " \"" + std::to_string(node) + "\" is no node; there are " +
           std::to_string(nodes_) + ", numbered from 0");
    }
  }

  // Whether an undirected edge was there from its other end, as lists have it that name both directions.
  bool is_other_direction(const Edge& edge) const {
    const auto there = places_.find({edge.target, edge.source});
    if (kind_ == EdgeKind::directed || edge.source == edge.target || there == places_.end()) return false;
    if (there->second.weight == edge.weight) return true;
    fail(called(edge) + " has another weight " + where_ + std::to_string(there->second.number) +
         ", and edges are undirected unless directed = true; give both directions one weight, or "
         "set that");
  }

  static std::string called(const Edge& edge) {
    return "the edge " + std::to_string(edge.source) + "," + std::to_string(edge.target);
  }

  [[noreturn]] static void fail(const std::string& problem) { throw InputError(problem); }

  Index nodes_;
  EdgeKind kind_;
  std::string where_;
  struct Place {
    Index number;
    double weight;
  };
  std::map<std::pair<Index, Index>, Place> places_;  // where each edge stands, by source and target
  std::vector<Edge> edges_;
};

class EdgeTable {
 public:
  EdgeTable(const std::filesystem::path& file, Index nodes, EdgeKind kind)
      : name_(file.string()), list_(nodes, kind, "on line "), records_(read_records(file)) {
    const std::string expected = "the header source,target or source,target,weight";
    if (records_.empty()) throw InputError(name_ + ": empty; it must start with " + expected);
    std::vector<std::string> header;
    for (const std::string& field : records_[0].fields) header.emplace_back(files::trimmed(field));
    weighted_ = header == std::vector<std::string>{"source", "target", "weight"};
    if (!weighted_ && header != std::vector<std::string>{"source", "target"})
      fail(records_[0], "must be " + expected);
  }

  std::vector<Edge> edges() && {
    for (auto record = records_.begin() + 1; record != records_.end(); ++record) {
      if (record->fields.size() != records_[0].fields.size()) {
        fail(*record, std::to_string(record->fields.size()) + " fields where the header has " +
                          std::to_string(records_[0].fields.size()));
      }
      try {
        list_.add({node(*record, 0), node(*record, 1), weighted_ ? weight(*record) : 1}, record->line);
      } catch (const InputError& error) {
        fail(*record, error.what());
      }
    }
    return std::move(list_).edges();
  }

 private:
  // Throw InputError, without a place.
  static Index node(const files::CsvRecord& record, std::size_t column) {
    const std::string& text = record.fields[column];
    const auto value = files::parse_number<Index>(text);
    if (!value) {
      throw InputError((column == 0 ? "source \"" : "target \"") + text +
                       "\" is no integer; give the number of a node");
    }
    return *value;
  }

  static double weight(const files::CsvRecord& record) {
    const std::string& text = record.fields[2];
    const auto value = files::parse_number<double>(text);
    if (!value || !std::isfinite(*value))
      throw InputError("weight \"" + text + "\": must be a finite number");
    return *value;
  }

  [[noreturn]] void fail(const files::CsvRecord& record, const std::string& problem) const {
    throw InputError(name_ + ":" + std::to_string(record.line) + ": " + problem);
  }

  std::string name_;
  EdgeList list_;
  std::vector<files::CsvRecord> records_;  // the header first
  bool weighted_ = false;
};

}  // namespace

std::vector<Edge> read_edges(const std::filesystem::path& file, Index nodes, EdgeKind kind) {
  return EdgeTable(file, nodes, kind).edges();
}

std::vector<Edge> listed_edges(const std::vector<Edge>& list, Index nodes, EdgeKind kind) {
  EdgeList result(nodes, kind, "in row ");
  for (std::size_t row = 0; row < list.size(); ++row) {
    try {
      if (!std::isfinite(list[row].weight)) throw InputError("its weight must be a finite number");
      result.add(list[row], static_cast<Index>(row));
    } catch (const InputError& error) {
      throw InputError("edges: row " + std::to_string(row) + ": " + error.what());
    }
  }
  return std::move(result).edges();
}

}  // namespace nngpcheck::inputs
