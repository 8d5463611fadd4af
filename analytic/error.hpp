#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "nngpcheck/support/error.hpp"

namespace nngpcheck::analytic {

/// A limit that does not exist or cannot be computed as asked. The message names the instruction or entry,
/// the problem and the remedy.
class LimitError : public Error {
 public:
  /// `columns`, where they are known: of the instruction's value, the one or two that the problem lies in.
  explicit LimitError(const std::string& message, std::vector<Eigen::Index> columns = {})
      : Error(Kind::limit, message), columns_(std::move(columns)) {}
  const std::vector<Eigen::Index>& columns() const { return columns_; }

 private:
  std::vector<Eigen::Index> columns_;
};

}  // namespace nngpcheck::analytic
