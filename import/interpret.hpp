// Private to import/: a program's values at one of the archive's widths, with the archive's numbers.
#pragma once

#include <Eigen/Core>

#include "nngpcheck/import/writer.hpp"

namespace nngpcheck::importer {

/// The values of all instructions, in float64.
class Evaluation {
 public:
  Evaluation(const netsor::Program& program, const Writer& writer);

  Eigen::VectorXd column(const Column& column) const {
    return values_.at(column.bundle.index()).col(column.index);
  }
  double dot(const Dot& dot) const;
  double entry(const Entry& entry) const { return values_.at(entry.table.index())(entry.row, entry.column); }
  /// The numbers of a parameter as they are in the archive, of one or no width.
  Eigen::VectorXd block(const Block& block) const;
  std::size_t graph() const { return graph_; }

 private:
  Eigen::MatrixXd object(const std::string& name, Eigen::Index rows) const;
  Eigen::MatrixXd matrix(const Block& block) const;
  std::int64_t size(const netsor::Width& width) const;
  Eigen::MatrixXd run(const netsor::Operation& operation) const;

  const netsor::Program& program_;
  const Writer& writer_;
  std::size_t graph_;
  std::vector<Eigen::MatrixXd> values_;
};

/// The output tensor as the model gives it, its last axis fastest.
std::vector<double> output_of(const Tensor& tensor, const Evaluation& evaluation, const Widths& widths);

}  // namespace nngpcheck::importer
