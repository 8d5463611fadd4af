// Continuous functions of tables, one network at a time.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "nngpcheck/netsor/operation.hpp"

namespace nngpcheck::empirical {

/// f(T₁, T₂, …) as netsor/operation.hpp defines it.
Eigen::MatrixXd apply_table_function(const netsor::TableFunction& function,
                                     const std::vector<const Eigen::MatrixXd*>& arguments);

}  // namespace nngpcheck::empirical
