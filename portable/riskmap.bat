@echo off
rem Double click, or drop a project file or a folder of workbooks on this file. No rights of an administrator, no network.
setlocal
chcp 65001 >nul
set "PYTHONUTF8=1"
set "PYTHONNOUSERSITE=1"
set "PYTHONPATH="
set "PYTHONHOME="
set "PYTHONDONTWRITEBYTECODE=1"
set "HERE=%~dp0"
if not exist "%HERE%python\python.exe" (
  type "%HERE%python\MISSING.txt"
  pause
  exit /b 1
)
if "%~1"=="" (
  "%HERE%python\python.exe" -m riskmap start --home "%HERE%projects"
) else if exist "%~1" (
  "%HERE%python\python.exe" -m riskmap start "%~1"
) else (
  "%HERE%python\python.exe" -m riskmap %*
  exit /b %ERRORLEVEL%
)
pause
