// Archives of PyTorch models (.nngp, docs/import.md): what the exporter writes, read and checked.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace nngpcheck::importer {

/// A model is exported at so many widths n.
inline constexpr std::size_t width_count = 3;

/// Numbers with axes, the last one fastest.
struct Numbers {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

/// What the entries of an input of the graph are, independently of each other.
struct Law {
  enum class Kind { constant, normal, uniform, truncated_normal, mixed, unknown };
  Kind kind = Kind::constant;
  double mean = 0, deviation = 0;  // of normal; of truncated_normal before it is cut
  double low = 0, high = 0;        // of uniform and truncated_normal
  std::vector<Law> laws;           // of mixed
  std::vector<std::uint8_t> map;   // of mixed: which of them each entry has
  std::string reason;              // of unknown

  /// Whether it is that of normal numbers, cut (if at all) where one in 10¹⁵ lies.
  bool is_normal() const;
  /// "normal", …
  std::string name() const;
  /// Preconditions: neither mixed nor unknown.
  double expectation() const;
  double variance() const;
};

/// An input of the graph: a parameter, a buffer, a constant of the code, or what the user gives.
struct GraphInput {
  std::string name;       // in the graph
  std::string target;     // in the model, "fc1.weight"
  bool given = false;     // by the user
  bool constant = false;  // of the code: neither parameter nor buffer
  Numbers numbers;
  Law law;
  std::string same_as;                   // an earlier input with the same random numbers, or ""
  std::vector<std::string> shares_with;  // inputs that hold some of them
};

/// One operator's call. Arguments have their schema's names.
struct GraphNode {
  std::string name, op;
  nlohmann::json arguments;
  std::vector<std::optional<std::vector<std::int64_t>>> shapes;  // of each result
  std::string place;                                             // "net.py:12: x = relu(x)"
  std::string module;  // "blocks.0.attn"; "" for the whole, or not known
};

/// The model at one width.
struct Graph {
  std::int64_t n = 0;
  bool random = false;  // two runs differ
  std::vector<GraphInput> inputs;
  std::vector<GraphNode> nodes;
  std::vector<std::pair<std::string, Numbers>> outputs;
};

struct Archive {
  std::string torch;
  std::array<Graph, width_count> graphs;  // of increasing n
};

/// Whether a file is meant to be such an archive, by its name.
bool is_archive(const std::filesystem::path& file);

/// Throws InputError, naming the file and what is wrong: it is no zip or a truncated one, unpacks to more
/// than 1 GiB, has another version, shapes that do not fit, or numbers that are not finite.
Archive read_archive(const std::filesystem::path& file);

/// The same from its bytes; `name` is for messages.
Archive parse_archive(const std::string& bytes, const std::string& name);

}  // namespace nngpcheck::importer
