// Private to compare/: gnuplot's SVG files as parts of a page.
#pragma once

#include <string>

namespace nngpcheck::compare {

/// The element svg of such a file, for a page that holds several: ids begin with `prefix`, as gnuplot gives
/// all its pictures the same ones; there is no size, only a viewBox; and `description` is read to those who
/// do not see it. Throws CompareError if it is no such file.
std::string inlined_svg(const std::string& file, const std::string& prefix, const std::string& description);

}  // namespace nngpcheck::compare
