// Files inside files.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nngpcheck::files {

bool is_gzip(std::string_view bytes);

/// What a gzip file's bytes hold. Throws InputError, naming the file, if they are damaged or truncated (the
/// checksum is checked), or unpack to more than a file may hold.
std::string gunzip(std::string_view bytes, const std::string& name);

bool is_zip(std::string_view bytes);

/// The names of the files in a zip archive's bytes. Throws InputError, naming the file, if it is damaged.
std::vector<std::string> zip_members(std::string_view bytes, const std::string& name);

/// The contents of the one of that name, which must be there; errors as for gunzip.
std::string zip_member(std::string_view bytes, const std::string& member, const std::string& name);

/// All files in a zip archive, by name; errors as for gunzip, and for contents of more than `most` bytes
/// together.
std::map<std::string, std::string> zip_contents(std::string_view bytes, const std::string& name,
                                                std::size_t most);

}  // namespace nngpcheck::files
