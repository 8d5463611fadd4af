// Private to netsor/: how instructions and their parts are written and read.
#pragma once

#include <string>

#include "nngpcheck/netsor/program.hpp"
#include "nngpcheck/netsor/text_scope.hpp"

namespace nngpcheck::netsor {

/// The name of a random object, in quotes where it is not plain, or could be an instruction's.
std::string object_text(const std::string& name);

/// The name of a function, in quotes where it is not plain, or an instruction's.
std::string function_text(const std::string& name);

/// What the data, matrix, mask, groups or constant of an instruction are called: D1.
std::string constant_name(const Program& program, std::size_t index);

/// The right-hand side of an instruction whose constant has that name.
std::string operation_text(const Program& program, std::size_t index, const std::string& constant);

/// What a width divides by: "n", "(4n)".
std::string divisor_text(const Width& width);

/// Reads the right-hand side of an instruction, and its type if that is written behind it. Throws InputError
/// at a place, and the builder's ProgramError.
Meaning read_instruction(TextScope& scope);

}  // namespace nngpcheck::netsor
