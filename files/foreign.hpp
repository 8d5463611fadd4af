// Private to config/: files of formats that are not read here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nngpcheck::files {

/// Throws InputError for the bytes of a file that is known to be something else than numbers or text, in one
/// line that says what it is and how to convert it: pickles, PyTorch's, Excel's and MATLAB's files, pictures,
/// other archives, ….
void refuse_foreign(std::string_view bytes, const std::string& name);

/// The same for a zip archive with these members.
[[noreturn]] void refuse_zip(const std::vector<std::string>& members, const std::string& name);

/// Throws InputError unless the bytes are text in UTF-8.
void check_text(std::string_view bytes, const std::string& name);

}  // namespace nngpcheck::files
