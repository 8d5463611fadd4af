#pragma once

#include <Eigen/Core>
#include <stdexcept>
#include <string>
#include <vector>

namespace nngpcheck::analytic {

/// A limit that does not exist or cannot be computed as asked. The message names the instruction or entry,
/// the problem and the remedy.
class LimitError : public std::runtime_error {
 public:
  /// `columns`, where they are known: of the instruction's value, the one or two that the problem lies in.
  explicit LimitError(const std::string& message, std::vector<Eigen::Index> columns = {})
      : std::runtime_error(message), columns_(std::move(columns)) {}
  const std::vector<Eigen::Index>& columns() const { return columns_; }

 private:
  std::vector<Eigen::Index> columns_;
};

}  // namespace nngpcheck::analytic
