#pragma once

#include <vector>

#include "nngpcheck/analytic/uncertain.hpp"

namespace nngpcheck::analytic {

UncertainMatrix zero(Eigen::Index rows, Eigen::Index columns);

/// This value, with bound 0.
UncertainMatrix exact(Eigen::MatrixXd value);

UncertainMatrix transpose(const UncertainMatrix& x);

/// These rows and columns.
UncertainMatrix part(const UncertainMatrix& x, const std::vector<Eigen::Index>& rows,
                     const std::vector<Eigen::Index>& columns);

/// x times y, entrywise; a single row or column of y is broadcast.
void multiply(UncertainMatrix& x, const UncertainMatrix& y);

enum class Triangle { upper, lower };

/// Entries of the other triangle become what their mirror images in this one are.
void mirror(UncertainMatrix& x, Triangle from);

}  // namespace nngpcheck::analytic
