// Kernels as files.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "nngpcheck/kernels/kernel.hpp"

namespace nngpcheck::kernels {

/// {"kernel": [[…]], "stderr": [[…]], "error_bound": [[…]], "repeats": R, "labels": […], "method": "…"}, with
/// "rows" and "columns" instead of "labels" if the kernel has columns; error bars that are empty are left
/// out. Numbers read back as the same doubles.
nlohmann::ordered_json to_json(const Kernel& kernel);

/// Of that form; all but "kernel" may be missing, and an array of rows is a kernel alone. Throws InputError,
/// which says what is wrong with it, without a file's name.
Kernel kernel_from_json(const nlohmann::json& json);

enum class KernelFormat { json, csv, npy };

/// By the file's extension. Throws InputError for any other than .json, .csv and .npy.
KernelFormat kernel_format(const std::filesystem::path& file);

/// The contents of a kernel file. json as to_json; csv (17 significant digits) and npy (float64, version 1)
/// hold the values alone; a csv with columns has their names as a header and the rows' as an index, as pandas
/// writes it.
std::string serialize(const Kernel& kernel, KernelFormat format);

}  // namespace nngpcheck::kernels
