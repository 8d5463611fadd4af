// Blocks of kernels as files.
#pragma once

#include <string>
#include <vector>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/kernels/kernel_file.hpp"

namespace nngpcheck::kernels {

/// K(rows, columns), and what its rows and columns are.
struct KernelBlock {
  analytic::Limit limit;
  std::vector<std::string> rows;
  std::vector<std::string> columns;
};

/// The contents of a file: json as that of a kernel (see to_json), with "rows" and "columns" instead of
/// "labels"; csv with the columns' names as a header and the rows' as an index, as pandas writes it; npy the
/// numbers alone.
std::string serialize(const KernelBlock& block, KernelFormat format);

}  // namespace nngpcheck::kernels
