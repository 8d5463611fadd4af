// Private to netsor/: lines of a program's text, which `print` and `write_text` share.
#pragma once

#include <string>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::netsor {

/// "  1: g1 := U D1 : G(n)^6".
std::string instruction_text(const Program& program, std::size_t index, const std::string& constant);

/// The lines of the random objects but the readout.
std::string objects_text(const Program& program);

/// "Output: vᵀ x3 / √n, v ~ N(0, 1), 2 columns".
std::string output_text(const Program& program);

}  // namespace nngpcheck::netsor
