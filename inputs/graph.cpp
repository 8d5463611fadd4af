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

class EdgeTable {
 public:
  EdgeTable(const std::filesystem::path& file, Index nodes, EdgeKind kind)
      : name_(file.string()), nodes_(nodes), kind_(kind), records_(read_records(file)) {
    const std::string expected = "the header source,target or source,target,weight";
    if (records_.empty()) throw InputError(name_ + ": empty; it must start with " + expected);
    std::vector<std::string> header;
    for (const std::string& field : records_[0].fields) header.emplace_back(files::trimmed(field));
    weighted_ = header == std::vector<std::string>{"source", "target", "weight"};
    if (!weighted_ && header != std::vector<std::string>{"source", "target"})
      fail(records_[0], "must be " + expected);
  }

  std::vector<Edge> edges() {
    std::vector<Edge> result;
    for (auto record = records_.begin() + 1; record != records_.end(); ++record) {
      if (record->fields.size() != records_[0].fields.size()) {
        fail(*record, std::to_string(record->fields.size()) + " fields where the header has " +
                          std::to_string(records_[0].fields.size()));
      }
      const Edge edge{node(*record, 0), node(*record, 1), weighted_ ? weight(*record) : 1};
      check_new(*record, edge);
      if (is_other_direction(*record, edge)) continue;
      result.push_back(edge);
      if (kind_ == EdgeKind::undirected && edge.source != edge.target)
        result.push_back({edge.target, edge.source, edge.weight});
    }
    return result;
  }

 private:
  Index node(const files::CsvRecord& record, std::size_t column) const {
    const std::string& text = record.fields[column];
    const std::string problem = (column == 0 ? "source \"" : "target \"") + text + "\" is no ";
    const auto value = files::parse_number<Index>(text);
    if (!value) fail(record, problem + "integer; give the number of a node");
    if (*value < 0 || *value >= nodes_) {
      fail(record, problem + "node; there are " + std::to_string(nodes_) + ", numbered from 0");
    }
    return *value;
  }

  double weight(const files::CsvRecord& record) const {
    const std::string& text = record.fields[2];
    const auto value = files::parse_number<double>(text);
    if (!value || !std::isfinite(*value) || *value < 0) {
      fail(record, "weight \"" + text + "\": must be a finite number, at least 0");
    }
    return *value;
  }

  void check_new(const files::CsvRecord& record, const Edge& edge) {
    const auto [there, is_new] =
        lines_.emplace(std::pair(edge.source, edge.target), Line{record.line, edge.weight});
    if (!is_new)
      fail(record,
           called(edge) + " stands on line " + std::to_string(there->second.number) + " already; remove one");
  }

  // Whether an undirected edge was there from its other end, as lists have it that name both directions.
  bool is_other_direction(const files::CsvRecord& record, const Edge& edge) const {
    const auto there = lines_.find({edge.target, edge.source});
    if (kind_ == EdgeKind::directed || edge.source == edge.target || there == lines_.end()) return false;
    if (there->second.weight == edge.weight) return true;
    fail(record, called(edge) + " has another weight on line " + std::to_string(there->second.number) +
                     ", and edges are undirected unless directed = true; give both directions one weight, or "
                     "set that");
  }

  static std::string called(const Edge& edge) {
    return "the edge " + std::to_string(edge.source) + "," + std::to_string(edge.target);
  }

  [[noreturn]] void fail(const files::CsvRecord& record, const std::string& problem) const {
    throw InputError(name_ + ":" + std::to_string(record.line) + ": " + problem);
  }

  std::string name_;
  Index nodes_;
  EdgeKind kind_;
  std::vector<files::CsvRecord> records_;  // the header first
  bool weighted_ = false;
  struct Line {
    int number;
    double weight;
  };
  std::map<std::pair<Index, Index>, Line> lines_;  // where each edge stands, by source and target
};

}  // namespace

std::vector<Edge> read_edges(const std::filesystem::path& file, Index nodes, EdgeKind kind) {
  return EdgeTable(file, nodes, kind).edges();
}

}  // namespace nngpcheck::inputs
