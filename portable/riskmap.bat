@echo off
rem Double click, or drop a project file or a folder of workbooks on this file. No rights of an administrator, no network.
rem No blocks in parentheses: in them ERRORLEVEL would be read before the program runs, and a path with ")" would end them.
setlocal
set "PYTHONUTF8=1"
set "PYTHONNOUSERSITE=1"
set "PYTHONPATH="
set "PYTHONHOME="
set "PYTHONDONTWRITEBYTECODE=1"
set "HERE=%~dp0"
set "PAGE="
for /f "tokens=2 delims=:." %%a in ('chcp') do set "PAGE=%%a"
chcp 65001 >nul 2>&1
if not exist "%HERE%python\python.exe" goto missing
if "%~1"=="" goto choose
if exist "%~1" goto dropped
"%HERE%python\python.exe" -m riskmap %*
set "CODE=%ERRORLEVEL%"
goto end
:choose
"%HERE%python\python.exe" -m riskmap start --home "%HERE%projects"
set "CODE=%ERRORLEVEL%"
pause
goto end
:dropped
"%HERE%python\python.exe" -m riskmap start "%~1"
set "CODE=%ERRORLEVEL%"
pause
goto end
:missing
type "%HERE%python\MISSING.txt"
set "CODE=1"
pause
:end
rem Other programs of this console go on with their own code page.
if defined PAGE chcp %PAGE% >nul 2>&1
exit /b %CODE%
