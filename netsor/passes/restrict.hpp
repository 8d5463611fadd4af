#pragma once

#include <vector>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::netsor {

/// The same network on fewer outputs: a program with the same random objects whose output columns are the
/// given columns of this program's output, in order. The selection is pushed through coordinatewise
/// instructions, matrix products and mixes down to the inputs, so that columns which nothing needs are not
/// computed; every instruction stays one instruction. All columns in order give the same program, less what
/// no output reads. Throws ProgramError if no column is given, or one does not exist or is repeated.
Program restrict_outputs(const Program& program, const std::vector<Index>& columns);

/// Two such restrictions that share their instructions, for the block of the kernel at these rows and
/// columns.
struct Rectangle {
  Program program;                     // its output is the rows' columns followed by the columns' columns
  std::vector<BundleId> rows;          // the output blocks at the rows
  std::vector<BundleId> columns;       // the output blocks at the columns
  std::vector<std::uint32_t> sources;  // of each instruction but the output's: the one that it restricts
};

/// Throws ProgramError if rows or columns are empty, or one does not exist or is repeated within its list.
Rectangle restrict_rectangle(const Program& program, const std::vector<Index>& rows,
                             const std::vector<Index>& columns);

}  // namespace nngpcheck::netsor
