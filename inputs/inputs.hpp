// What a network is applied to.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <string>
#include <vector>

namespace nngpcheck::inputs {

/// An edge of a graph: node `target` receives from node `source`. Weights may be negative.
struct Edge {
  Eigen::Index source = 0;
  Eigen::Index target = 0;
  double weight = 1;
};

struct NamedInputs;

/// A list of inputs with names; a type of its own, since inputs hold one while they are not complete.
class OtherInputs : public std::vector<NamedInputs> {
 public:
  OtherInputs();
  OtherInputs(const OtherInputs&);
  OtherInputs(OtherInputs&&) noexcept;
  OtherInputs& operator=(const OtherInputs&);
  OtherInputs& operator=(OtherInputs&&) noexcept;
  ~OtherInputs();
};

/// A finite set of inputs: m columns of dimension d. At most one of lengths, grid and graph says more about
/// the columns; without any, each is a vector, a sample of its own.
struct Inputs {
  Eigen::MatrixXd data;             // d×m
  std::vector<std::string> labels;  // one per column, distinct: "3" for a vector, "0:5 the" for a token

  /// Sequences: a column is a token; those of one sequence stand together, in order of position; Σ = m.
  std::vector<Eigen::Index> lengths = {};
  /// Grids, such as images {height, width}: a column is a position and d counts channels; those of one sample
  /// stand together in row-major order (the last axis fastest).
  std::vector<Eigen::Index> grid = {};
  /// A graph: a column is a node. An undirected edge between two nodes is listed in both directions.
  std::optional<std::vector<Edge>> graph = {};
  /// Numbers of nodes of several graphs, each a sample; those of one stand together, Σ = m, and no edge leads
  /// from one to another. Empty: one graph.
  std::vector<Eigen::Index> graph_sizes = {};

  /// The batch of each sample, for batch normalization; empty: all in one.
  std::vector<int> batch = {};

  /// What else each sample is given: of an image its caption, of a question the text. Each has as many
  /// samples, of a shape and dimension of its own; number s of each belongs to sample s. No graphs.
  OtherInputs others = {};

  Eigen::Index count() const { return data.cols(); }
  Eigen::Index dimension() const { return data.rows(); }

  /// Number of samples: sequences, grids, graphs, or vectors.
  Eigen::Index samples() const;

  /// Those of `others` that are called so; of "" these inputs. Throws InputError.
  const Inputs& named(const std::string& name) const;
};

struct NamedInputs {
  std::string name;
  Inputs inputs;
};

/// Throws InputError unless the inputs are as stated above, with at least one column and row.
void validate(const Inputs& inputs);

}  // namespace nngpcheck::inputs
